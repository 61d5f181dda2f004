// RUN: ingot-opt %s -mega-outline-tiles | FileCheck %s
// RUN: ingot-opt %s -mega-outline-tiles -ingot-emit-entry | FileCheck %s --check-prefix=ENTRY

// A tile that is done adds 1 to the counter of its number along the first dim. One
// that waits is run if the run was not stopped meanwhile. Their work is a function
// that tiles which do neither may share.
// CHECK: func.func private @ingot_await(!llvm.ptr, memref<?x8xi64>, index, index, index) -> i1
// CHECK-LABEL: mega.program @main
// CHECK-SAME: ops = "copy", {{.*}} sync = "counters"
// CHECK: func.func private @[[FILL:.*]](%{{.*}}: memref<64x16xf32>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index)
// CHECK: linalg.fill
// CHECK: func.func private @{{.*}}(%[[X:.*]]: memref<64x16xf32>, %[[K:.*]]: memref<?x8xi64>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index)
// CHECK: scf.for %[[T:[a-z0-9]*]] =
// CHECK: %[[BAND:.*]] = arith.divsi %[[T]], %c2
// CHECK: %[[NEXT:.*]] = arith.addi %[[T]], %[[ONE:.*]] : index
// CHECK: call @[[FILL]](%[[X]], %[[T]], %[[NEXT]], %[[ONE]])
// CHECK: memref.atomic_rmw addi %c1_i64, %[[K]][%[[BAND]], %c0]
// CHECK: func.func private @[[COPY:.*]](
// CHECK: linalg.copy
// CHECK: func.func private @{{.*}}(%{{.*}}: memref<?x8xi64>, {{.*}}, %[[CONTEXT:[a-z0-9]*]]: !llvm.ptr)
// CHECK: scf.for
// CHECK: %[[ROW:.*]] = arith.muli
// CHECK: %[[FIRST:.*]] = arith.divui %[[ROW]]
// CHECK: %[[GO:.*]] = func.call @ingot_await(%[[CONTEXT]], %{{.*}}, %[[FIRST]], %c1, %c2
// CHECK: scf.if %[[GO]]
// CHECK-NOT: memref.subview
// CHECK: call @[[COPY]](

// It looks until enough were counted or the run has an error, and asks the
// runtime how to wait.
// ENTRY: func.func private @ingot_await(%[[CONTEXT:.*]]: !llvm.ptr, %{{.*}}: memref<?x8xi64>, %[[FIRST:.*]]: index, %[[COUNT:.*]]: index, %[[TARGET:.*]]: index) -> i1
// ENTRY: %[[WANTED:.*]] = arith.index_cast %[[TARGET]]
// ENTRY: scf.for
// ENTRY: %[[LAST:.*]]:2 = scf.while
// ENTRY: %[[SEEN:.*]] = llvm.load %{{.*}} atomic acquire
// ENTRY: arith.cmpi slt, %[[SEEN]], %[[WANTED]]
// ENTRY: llvm.load %{{.*}} atomic monotonic
// ENTRY: llvm.call %{{.*}}(%[[CONTEXT]])
mega.program @main(%t: memref<64x16xf32> {ingot.role = "output"}, %y: memref<64x16xf32> {ingot.role = "output"},
                   %arena: memref<?xi8> {ingot.role = "arena"},
                   %worker: index {ingot.role = "worker"},
                   %workers: index {ingot.role = "workers"},
                   %error: !llvm.ptr {ingot.role = "error"},
                   %run: !llvm.ptr {ingot.role = "context"}) -> (index, index, index, index, index) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %k = memref.view %arena[%c0][%c8] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = arith.divui %i, %c8 : index
      mega.await %k[%band][%c1] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return %c64, %c16, %c64, %c16, %c512 : index, index, index, index, index
}
