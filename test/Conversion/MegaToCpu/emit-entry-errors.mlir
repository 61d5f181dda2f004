// RUN: ingot-opt %s --ingot-emit-entry --split-input-file --verify-diagnostics

// expected-error @below {{weight argument 0 has no place}}
mega.program @place(%w: memref<3xf32> {ingot.role = "weight"}) -> index {
  %c0 = arith.constant 0 : index
  mega.return %c0 : index
}

// -----

// expected-error @below {{argument 0 has no known role}}
mega.program @role(%x: memref<3xf32>) -> index {
  %c0 = arith.constant 0 : index
  mega.return %c0 : index
}

// -----

// expected-error @below {{input 0 is not a buffer}}
mega.program @buffer(%x: f32 {ingot.role = "input"}) -> index {
  %c0 = arith.constant 0 : index
  mega.return %c0 : index
}

// -----

ingot.dim @n
// expected-error @below {{input 0 has a wrong number of dims}}
mega.program @rank(%x: memref<?x?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n>}) -> index {
  %c0 = arith.constant 0 : index
  mega.return %c0 : index
}

// -----

ingot.dim @n
// expected-error @below {{data-dependent shape: dim 'n' does not follow from the inputs' dims}}
mega.program @loose(%x: memref<?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n * n>}) -> index {
  %n = ingot.size <n>
  mega.return %n : index
}

// -----

mega.program @data(%x: memref<3xindex> {ingot.role = "input"}) -> index {
  %c0 = arith.constant 0 : index
  // expected-error @below {{data-dependent shape: a size depends on data}}
  %n = memref.load %x[%c0] : memref<3xindex>
  mega.return %n : index
}

// -----

// expected-error @below {{a size depends on an unknown argument}}
mega.program @argument(%w: index {ingot.role = "worker"}) -> index {
  mega.return %w : index
}

// -----

// expected-error @below {{expected a program, found none}}
module {
  func.func private @stage()
}

// -----

// expected-error @below {{expected a program 'main' among 2}}
module {
  mega.program @all() {
    mega.return
  }
  mega.program @decode() {
    mega.return
  }
}

// -----

// expected-error @below {{cache argument 0 has no place}}
mega.program @main(%cache: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0> {ingot.role = "cache"},
                %arena: memref<?xi8> {ingot.role = "arena"}, %worker: index {ingot.role = "worker"},
                %workers: index {ingot.role = "workers"}) -> index {
  %c0 = arith.constant 0 : index
  mega.return %c0 : index
}
