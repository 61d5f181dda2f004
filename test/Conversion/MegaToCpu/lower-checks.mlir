// RUN: ingot-opt %s -ingot-lower-checks | FileCheck %s

// CHECK: ingot.errors = ["", "index out of range"]
// CHECK-LABEL: func private @stage(
// CHECK-SAME: %[[OK:.*]]: i1, %[[ERROR:.*]]: !llvm.ptr
// CHECK: %[[FAILED:.*]] = arith.xori %[[OK]]
// CHECK: scf.if %[[FAILED]]
// CHECK: llvm.cmpxchg %[[ERROR]], %{{.*}}, %c1_i32
func.func private @stage(%ok: i1, %error: !llvm.ptr {ingot.role = "error"}) {
  ingot.check %ok, "index out of range"
  return
}
