// RUN: ingot-opt %s --split-input-file --verify-diagnostics

mega.program @nobody(%x: memref<8xf32>) {
  // expected-error @below {{calls 'who', which is no program}}
  mega.call @who(%x) to (%x) : memref<8xf32> to memref<8xf32>
  mega.return
}

// -----

mega.program @callee(%x: memref<8xf32> {ingot.role = "input"}, %y: memref<8xf32> {ingot.role = "output"}) {
  mega.return
}
mega.program @itself(%x: memref<8xf32> {ingot.role = "input"}, %y: memref<8xf32> {ingot.role = "output"}) {
  mega.call @callee(%x) to (%y) : memref<8xf32> to memref<8xf32>
  mega.return
}
mega.program @deep(%x: memref<8xf32>, %y: memref<8xf32>) {
  // expected-error @below {{calls 'itself', which calls programs itself}}
  mega.call @itself(%x) to (%y) : memref<8xf32> to memref<8xf32>
  mega.return
}

// -----

mega.program @callee(%x: memref<8xf32> {ingot.role = "input"}, %y: memref<8xf32> {ingot.role = "output"}) {
  mega.return
}
mega.program @few(%x: memref<8xf32>, %y: memref<8xf32>) {
  // expected-error @below {{gives 2 inputs, expected 1}}
  mega.call @callee(%x, %x) to (%y) : memref<8xf32>, memref<8xf32> to memref<8xf32>
  mega.return
}

// -----

mega.program @callee(%x: memref<8xf32> {ingot.role = "input"}, %y: memref<8xf32> {ingot.role = "output"}) {
  mega.return
}
mega.program @type(%x: memref<8xf64>, %y: memref<8xf32>) {
  // expected-error @below {{gives 'memref<8xf64>' as input 0, expected 'memref<8xf32>' or another dense shape}}
  mega.call @callee(%x) to (%y) : memref<8xf64> to memref<8xf32>
  mega.return
}

// -----

mega.program @callee(%x: memref<8xf32> {ingot.role = "input"}, %y: memref<8xf32> {ingot.role = "output"}) {
  mega.return
}
mega.program @twice(%x: memref<8xf32>) {
  // expected-error @below {{gives a buffer that is written twice}}
  mega.call @callee(%x) to (%x) : memref<8xf32> to memref<8xf32>
  mega.return
}

// -----

mega.program @callee(%x: memref<8xf32> {ingot.role = "input"}, %y: memref<8xf32> {ingot.role = "output"}) {
  mega.return
}
mega.program @own(%x: memref<8xf32>) {
  %y = memref.alloc() : memref<8xf32>
  // expected-error @below {{gives what is no argument of the program as output 0}}
  mega.call @callee(%x) to (%y) : memref<8xf32> to memref<8xf32>
  mega.return
}

// -----

mega.program @all(%n: i64) {
  // expected-error @below {{is not in a 'mega.single'}}
  %0 = mega.tell %n
  mega.return
}
