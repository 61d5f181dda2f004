// RUN: ingot-opt %s -ingot-emit-entry | FileCheck %s

// A program that others call has its body in a function that counts arrivals
// on; what is given to it goes into the worker's context.
// CHECK-LABEL: func @ingot_entry_callee(
// CHECK-SAME: %[[CTX:.*]]: !llvm.ptr, %[[W:.*]]: i64, %[[WS:.*]]: i64)
// CHECK-NEXT: %[[NONE:.*]] = arith.constant 0 : i64
// CHECK-NEXT: call @ingot_body_callee(%[[CTX]], %[[W]], %[[WS]], %[[NONE]])
// CHECK-NEXT: return
// CHECK-LABEL: func private @ingot_body_callee(
// CHECK-SAME: %[[BEFORE:[a-z0-9]+]]: i64) -> i64
// CHECK: %[[NOW:.*]] = arith.addi %[[BEFORE]]
// CHECK: call @ingot_barrier(%{{.*}}, %[[NOW]], %{{.*}})
// CHECK: return %[[NOW]] : i64
mega.program @callee(%x: memref<?xf32> {ingot.role = "input"}, %y: memref<2xi64> {ingot.role = "output"}, %workers: index {ingot.role = "workers"}) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  mega.barrier
  mega.return %c2, %c0 : index, index
}

// CHECK-LABEL: func @ingot_entry(
// CHECK: %[[ARRAY:.*]] = llvm.alloca
// CHECK: cf.br ^[[TURN:.*]](%{{.*}}, %{{.*}} : index, i64)
// CHECK: ^[[TURN]](%{{.*}}: index, %[[ARRIVED:.*]]: i64):
// CHECK: %[[CALLS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: %[[AFTER:.*]] = call @ingot_body_callee(%{{.*}}, %{{.*}}, %{{.*}}, %[[ARRIVED]])
// CHECK: %[[MET:.*]] = arith.addi %[[AFTER]]
// CHECK: call @ingot_barrier(%{{.*}}, %[[MET]], %{{.*}})
// CHECK: scf.if
// CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i64) -> i32
// CHECK: cf.cond_br %{{.*}}, ^[[END:.*]](%{{.*}} : i64), ^[[ON:.*]]
// CHECK: ^[[ON]]:
// CHECK: cf.cond_br %{{.*}}, ^[[TURN]](%{{.*}}, %{{.*}} : index, i64), ^[[END]](%{{.*}} : i64)
mega.program @main(%x: memref<1x8xf32> {ingot.role = "shared"}, %y: memref<2xi64> {ingot.role = "shared"}) -> index {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  mega.loop %turn = 0 to 9223372036854775807 {
    mega.call @callee(%x) to (%y) : memref<1x8xf32> to memref<2xi64>
    mega.barrier
    mega.single {
      %id = memref.load %y[%c0] : memref<2xi64>
      %enough = mega.tell %id
      scf.if %enough {
        memref.store %zero, %y[%c0] : memref<2xi64>
      }
    }
    mega.barrier
    %left = memref.load %y[%c0] : memref<2xi64>
    %is_over = arith.cmpi eq, %left, %zero : i64
    mega.until %is_over
  }
  mega.return %c0 : index
}
