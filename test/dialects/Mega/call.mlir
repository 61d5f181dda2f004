// RUN: ingot-opt %s | ingot-opt | FileCheck %s

mega.program @callee(%x: memref<?xf32> {ingot.role = "input"}, %y: memref<2xi64> {ingot.role = "output"}, %n: index) {
  mega.return
}

// CHECK-LABEL: mega.program @turns(
mega.program @turns(%x: memref<1x8xf32>, %y: memref<2xi64>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  // CHECK: mega.loop %{{.*}} = 0 to 9223372036854775807 {
  mega.loop %turn = 0 to 9223372036854775807 {
    // CHECK-NEXT: mega.call @callee(%{{.*}}) to(%{{.*}}) : memref<1x8xf32> to memref<2xi64>
    mega.call @callee(%x) to (%y) : memref<1x8xf32> to memref<2xi64>
    // CHECK-NEXT: mega.barrier
    mega.barrier
    // CHECK-NEXT: mega.single {
    mega.single {
      %id = memref.load %y[%c0] : memref<2xi64>
      // CHECK: %[[ENOUGH:.*]] = mega.tell %
      %enough = mega.tell %id
      // CHECK: scf.if %[[ENOUGH]]
      scf.if %enough {
        memref.store %zero, %y[%c0] : memref<2xi64>
      }
    }
    mega.barrier
    %left = memref.load %y[%c0] : memref<2xi64>
    // CHECK: %[[OVER:.*]] = arith.cmpi eq
    %is_over = arith.cmpi eq, %left, %zero : i64
    // CHECK-NEXT: mega.until %[[OVER]]
    mega.until %is_over
  // CHECK-NEXT: }
  }
  mega.return
}
