// RUN: ingot-opt %s -ingot-emit-entry -verify-diagnostics

// expected-error @below {{cache argument 0 has no place}}
func.func @main(%cache: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0> {ingot.role = "cache"},
                %arena: memref<?xi8> {ingot.role = "arena"}, %worker: index {ingot.role = "worker"},
                %workers: index {ingot.role = "workers"}) -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}
