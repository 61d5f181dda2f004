// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-unroll-loops,mega-prove-order))"

mega.program @callee(%x: memref<1xi64> {ingot.role = "input"}, %y: memref<1xi64> {ingot.role = "output"}) {
  mega.return
}
mega.program @behind_a_call(%x: memref<1xi64> {ingot.role = "shared"}, %y: memref<1xi64> {ingot.role = "shared"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  mega.loop %turn = 0 to 1000 {
    // expected-note @below {{what comes before}}
    mega.call @callee(%x) to (%y) : memref<1xi64> to memref<1xi64>
    // expected-error @below {{no barrier is between a program that is called and this}}
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

// -----

mega.program @callee(%x: memref<1xi64> {ingot.role = "input"}, %y: memref<1xi64> {ingot.role = "output"}) {
  mega.return
}
mega.program @before_a_call(%x: memref<1xi64> {ingot.role = "shared"}, %y: memref<1xi64> {ingot.role = "shared"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  mega.loop %turn = 0 to 1000 {
    // expected-error @below {{no barrier is between a program that is called and this}}
    mega.call @callee(%x) to (%y) : memref<1xi64> to memref<1xi64>
    mega.barrier
    // expected-note @below {{what comes before}}
    mega.single {
      %id = memref.load %y[%c0] : memref<1xi64>
      memref.store %id, %x[%c0] : memref<1xi64>
    }
  }
  mega.return
}

// -----

mega.program @callee(%x: memref<1xi64> {ingot.role = "input"}, %y: memref<1xi64> {ingot.role = "output"}) {
  mega.return
}
mega.program @reads_at_once(%x: memref<1xi64> {ingot.role = "shared"}, %y: memref<1xi64> {ingot.role = "shared"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  mega.loop %turn = 0 to 1000 {
    mega.call @callee(%x) to (%y) : memref<1xi64> to memref<1xi64>
    mega.barrier
    mega.single {
      %id = memref.load %y[%c0] : memref<1xi64>
      // expected-error @below {{may race: worker 0 writes shared argument 0, every worker reads shared argument 0}}
      memref.store %id, %x[%c0] : memref<1xi64>
    }
    // expected-note @below {{the other}}
    %now = memref.load %x[%c0] : memref<1xi64>
    %is_over = arith.cmpi eq, %now, %zero : i64
    mega.until %is_over
    mega.barrier
  }
  mega.return
}

// -----

mega.program @alone(%x: memref<1xi64> {ingot.role = "shared"}, %y: memref<1xi64> {ingot.role = "shared"}, %worker: index {ingot.role = "worker"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  // expected-error @below {{not every worker does the same: operand 0 depends on the worker}}
  %first = arith.cmpi eq, %worker, %c0 : index
  mega.until %first
  mega.return
}

// -----

mega.program @callee(%x: memref<1xi64> {ingot.role = "input"}, %y: memref<1xi64> {ingot.role = "output"}) {
  mega.return
}
mega.program @input(%x: memref<1xi64> {ingot.role = "input"}, %y: memref<1xi64> {ingot.role = "shared"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  mega.loop %turn = 0 to 1000 {
    mega.single {
      %id = memref.load %y[%c0] : memref<1xi64>
      // expected-error @below {{writes to what is no output: worker 0 writes input argument 0}}
      memref.store %id, %x[%c0] : memref<1xi64>
    }
    mega.barrier
    %now = memref.load %y[%c0] : memref<1xi64>
    %is_over = arith.cmpi eq, %now, %zero : i64
    mega.until %is_over
  }
  mega.return
}
