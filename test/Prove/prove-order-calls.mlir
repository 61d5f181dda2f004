// RUN: ingot-opt %s -pass-pipeline='builtin.module(mega.program(mega-unroll-loops,mega-prove-order{remarks=true}))' -o /dev/null 2>&1 | FileCheck %s

// CHECK: program 'turns': no race and no deadlock
mega.program @callee(%x: memref<1xi64> {ingot.role = "input"}, %y: memref<1xi64> {ingot.role = "output"}) {
  mega.return
}
mega.program @turns(%x: memref<1xi64> {ingot.role = "shared"}, %y: memref<1xi64> {ingot.role = "shared"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  mega.loop %turn = 0 to 1000 {
    mega.call @callee(%x) to (%y) : memref<1xi64> to memref<1xi64>
    mega.barrier
    mega.single {
      %id = memref.load %y[%c0] : memref<1xi64>
      memref.store %id, %x[%c0] : memref<1xi64>
    }
    mega.barrier
    %now = memref.load %x[%c0] : memref<1xi64>
    %is_over = arith.cmpi eq, %now, %zero : i64
    mega.until %is_over
  }
  mega.return
}
