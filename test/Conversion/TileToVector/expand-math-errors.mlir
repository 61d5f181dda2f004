// RUN: ingot-opt %s --ingot-expand-math --split-input-file --verify-diagnostics

func.func @quadruple(%x: f128) -> f128 {
  // expected-error @+1 {{'math.exp' op is not supported on this element type}}
  %0 = math.exp %x : f128
  return %0 : f128
}

// -----

func.func @normal(%x: f32) -> i1 {
  // expected-error @below {{'math.isnormal' op has no expansion into arithmetic}}
  %0 = math.isnormal %x : f32
  return %0 : i1
}
