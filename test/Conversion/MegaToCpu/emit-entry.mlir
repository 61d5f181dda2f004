// RUN: ingot-opt %s -ingot-emit-entry | FileCheck %s
// RUN: ingot-opt %s -ingot-emit-entry=target=aarch64 | FileCheck %s --check-prefix=ARM
// RUN: not ingot-opt %s -ingot-emit-entry=target=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: unknown target CPU 'z80'

// Dims that do not fit the symbols are refused by message number.
// CHECK: ingot.errors = ["", "input 'y': dim 0 must be seq * 2"
// CHECK-LABEL: func private @ingot_barrier(
// CHECK-SAME: i1) -> i1
// CHECK: scf.if %
// CHECK: llvm.atomicrmw add {{.*}} acq_rel
// CHECK: llvm.load {{.*}} atomic acquire
// CHECK: llvm.call_intrinsic "llvm.x86.sse2.pause"
// CHECK: llvm.call_intrinsic "llvm.readcyclecounter"
// ARM: llvm.call_intrinsic "llvm.aarch64.hint"
// ARM: llvm.call_intrinsic "llvm.readsteadycounter"
// CHECK-LABEL: func @ingot_sizes(
// CHECK-SAME: %[[DIMS:.*]]: !llvm.ptr, %{{.*}}: i64, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) -> i32
// CHECK: llvm.getelementptr %[[DIMS]]
// CHECK: arith.cmpi eq
// CHECK-LABEL: func @ingot_entry(
// CHECK-SAME: %[[CTX:.*]]: !llvm.ptr
// CHECK: call @stage_0
// CHECK: %[[STOP:.*]] = call @ingot_barrier(%[[CTX]]
// CHECK: cf.cond_br %[[STOP]]
// CHECK: call @stage_0
// CHECK-NOT: ingot_barrier
// CHECK: call @stage_0
// Where the condition holds nobody waits, and no arrivals are counted.
// CHECK: %[[MORE:.*]] = arith.select %[[FEW:.*]], %{{.*}}, %{{.*}} : i64
// CHECK: %[[TARGET:.*]] = arith.addi %{{.*}}, %[[MORE]]
// CHECK: cf.cond_br %[[FEW]], ^[[NEXT:.*]], ^[[WAIT:.*]]
// CHECK: ^[[WAIT]]:
// CHECK: call @ingot_barrier(%[[CTX]], %[[TARGET]], %{{.*}})
// CHECK: cf.cond_br %{{.*}}, ^{{.*}}, ^[[NEXT]]
// CHECK: ^[[NEXT]]:
// CHECK: call @stage_0
// Workers with numbers below that of the busy ones arrive, and are waited for.
// CHECK: %[[BUSY:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : index
// CHECK: %[[LAST:.*]] = arith.addi %[[TARGET]], %{{.*}}
// CHECK: call @ingot_barrier(%[[CTX]], %[[LAST]], %[[BUSY]])
// What is fetched ahead where some do not wait is fetched by those who do.
// CHECK: cf.cond_br %[[FEW]], ^[[BEHIND:.*]], ^{{.*}}
// CHECK: %[[EARLY:.*]] = scf.if
// CHECK: cf.cond_br %[[EARLY]], ^[[FETCH:.*]], ^[[LATE:.*]]
// CHECK: ^[[BEHIND]]:
// CHECK: return
// CHECK: ^[[FETCH]]:
// CHECK-NEXT: call @stage_0
// CHECK-NEXT: cf.br ^[[LATE]]
// CHECK: ^[[LATE]]:
// CHECK-NEXT: %[[END:.*]] = call @ingot_barrier(
// CHECK-NEXT: cf.cond_br %[[END]], ^{{.*}}, ^[[BEHIND]]
// CHECK-NOT: ingot.dim
ingot.dim @seq
mega.program @main(%x: memref<?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<seq>},
                %y: memref<?xf32> {ingot.role = "input", ingot.name = "y", ingot.dims = #ingot.dims<seq * 2>},
                %o: memref<?xf32> {ingot.role = "output"},
                %arena: memref<?xi8> {ingot.role = "arena"}, %worker: index {ingot.role = "worker"},
                %workers: index {ingot.role = "workers"}) -> (index, index) {
  %n = ingot.size <seq>
  %c0 = arith.constant 0 : index
  func.call @stage_0(%x, %o, %n, %worker, %workers) : (memref<?xf32>, memref<?xf32>, index, index, index) -> ()
  mega.barrier
  func.call @stage_0(%o, %o, %n, %worker, %workers) : (memref<?xf32>, memref<?xf32>, index, index, index) -> ()
  func.call @stage_0(%x, %x, %n, %worker, %workers) : (memref<?xf32>, memref<?xf32>, index, index, index) -> ()
  %few = arith.cmpi ule, %n, %c0 : index
  mega.barrier unless %few
  func.call @stage_0(%x, %x, %n, %worker, %workers) : (memref<?xf32>, memref<?xf32>, index, index, index) -> ()
  mega.barrier of %n
  func.call @stage_0(%x, %x, %n, %worker, %workers) {ingot.prefetch} : (memref<?xf32>, memref<?xf32>, index, index, index) -> ()
  mega.barrier unless %few
  mega.return %n, %c0 : index, index
}
func.func private @stage_0(%x: memref<?xf32>, %o: memref<?xf32>, %n: index, %worker: index, %workers: index) {
  return
}
