// RUN: ingot-opt %s -mega-outline-tiles | FileCheck %s --check-prefix=OUT
// RUN: ingot-opt %s -mega-outline-tiles -ingot-emit-entry | FileCheck %s

// What a worker fetches is of the first tile that it is dealt, of whichever
// space: no more than is left in a row.
// OUT-LABEL: mega.program @main
// OUT: %[[DEALT:.*]] = arith.cmpi slt, %[[A:.*]], %{{.*}} : index
// OUT: %[[NEXT:.*]] = arith.addi %[[A]], %{{.*}} : index
// OUT: %[[AEND:.*]] = arith.select %[[DEALT]], %[[NEXT]], %[[A]] : index
// OUT: call @fetch_0(%{{.*}}, %[[A]], %[[AEND]], %{{.*}}) {ingot.prefetch}
// OUT: arith.cmpi slt, %[[B:.*]], %{{.*}} : index
// OUT: %[[ONE:.*]] = arith.select %{{.*}}, %{{.*}}, %[[B]] : index
// OUT: %[[BEND:.*]] = arith.select %[[DEALT]], %[[B]], %[[ONE]] : index
// OUT: call @fetch_0(%{{.*}}, %[[B]], %[[BEND]], %{{.*}}) {ingot.prefetch}
// OUT: mega.barrier
// OUT: call @stage_0(
// OUT: call @stage_0(
// OUT: func.func private @fetch_0(
// OUT: scf.for
// OUT: %[[PART:.*]] = memref.subview
// OUT: %[[BASE:.*]], %[[OFFSET:.*]], %{{.*}}:2, %{{.*}}:2 = memref.extract_strided_metadata %[[PART]]
// OUT: memref.extract_aligned_pointer_as_index %[[PART]]
// OUT: scf.for %{{.*}} = %{{.*}} to %c1024{{.*}} step
// OUT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>

// It happens behind the arrival, and only if others are still missing. Nothing
// of it happens where no barrier follows.
// CHECK-LABEL: func.func @ingot_entry(
// CHECK: %[[EARLY:.*]] = scf.if %{{.*}} -> (i1) {
// CHECK: %[[BEFORE:.*]] = llvm.atomicrmw add %{{.*}}, %{{.*}} acq_rel
// CHECK: %[[NOW:.*]] = arith.addi %[[BEFORE]]
// CHECK: %[[MISSING:.*]] = arith.cmpi slt, %[[NOW]], %[[ALL:.*]] : i64
// CHECK: scf.yield %[[MISSING]]
// CHECK: scf.yield %true
// CHECK: cf.cond_br %[[EARLY]], ^[[FETCH:.*]], ^[[WAIT:.*]]
// CHECK: ^[[FETCH]]:
// CHECK: call @fetch_0(
// CHECK: call @fetch_0(
// CHECK: cf.br ^[[WAIT]]
// CHECK: ^[[WAIT]]:
// CHECK: call @ingot_barrier(%{{.*}}, %[[ALL]], %{{.*}})
// CHECK: call @stage_0(
// CHECK-NOT: call @fetch_0(
// CHECK: return
mega.program @main(%w: memref<64x64xf32> {ingot.role = "weight", ingot.weight_offset = 0 : i64},
                   %v: memref<64x64xf32> {ingot.role = "weight", ingot.weight_offset = 16384 : i64},
                   %arena: memref<?xi8> {ingot.role = "arena"},
                   %worker: index {ingot.role = "worker"},
                   %workers: index {ingot.role = "workers"},
                   %error: !llvm.ptr {ingot.role = "error"}) -> index {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %x = memref.view %arena[%c0][] : memref<?xi8> to memref<64xf32>
  mega.prefetch {
    mega.tiles (%j) in (64) step (4) {
      %0 = mega.access read %w[%j, 0] [4, 64] [1, 1]
        : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
      mega.fetch first 4096 of %0 : memref<4x64xf32, strided<[64, 1], offset: ?>>
    }
    mega.tiles (%j) in (64) step (4) {
      %0 = mega.access read %v[%j, 0] [4, 64] [1, 1]
        : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
      mega.fetch first 4096 of %0 : memref<4x64xf32, strided<[64, 1], offset: ?>>
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%j) in (64) step (4) {
      %to = mega.access write %x : memref<64xf32> to memref<64xf32>
      memref.store %zero, %to[%j] : memref<64xf32>
    }
    mega.tiles (%j) in (64) step (4) {
      %to = mega.access write %x : memref<64xf32> to memref<64xf32>
      memref.store %zero, %to[%j] : memref<64xf32>
    }
  }
  mega.prefetch {
    mega.tiles (%j) in (64) step (4) {
      %0 = mega.access read %w[%j, 0] [4, 64] [1, 1]
        : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
      mega.fetch first 4096 of %0 : memref<4x64xf32, strided<[64, 1], offset: ?>>
    }
  }
  mega.return %c0 : index
}
