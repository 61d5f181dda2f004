// RUN: ingot-opt %s -split-input-file -ingot-place-caches -verify-diagnostics

// expected-error @below {{the caches of argument 0 and before it are too large for a page}}
func.func @main(%a: !ingot.cache<heads = 1099511627776, key_depth = 1099511627776, value_depth = 1, type = f32, window = 0>) {
  return
}

// -----

func.func @main(%a: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>) {
  return
}
// expected-error @below {{has other caches than the functions before it}}
func.func @all(%a: !ingot.cache<heads = 1, key_depth = 2, value_depth = 1, type = f32, window = 0>) {
  return
}
