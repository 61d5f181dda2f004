// RUN: ingot-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{has a negative minimum}}
ingot.dim @d {min = -1 : i64}

// -----

// expected-error @+1 {{has a maximum below its minimum}}
ingot.dim @d {min = 4 : i64, max = 3 : i64}

// -----

// expected-error @+1 {{has 4 bytes, but its type needs 8}}
ingot.weight @w : tensor<2xf32> in "m.onnx" at 0 length 4

// -----

// expected-error @+1 {{has a negative offset}}
ingot.weight @w : tensor<2xf32> in "m.onnx" at -8 length 8

// -----

// expected-error @+1 {{has elements of type 'index'}}
ingot.weight @w : tensor<2xindex> in "m.onnx" at 0 length 16

// -----

func.func @unknown_weight() -> tensor<2xf32> {
  // expected-error @+1 {{refers to @w, which is no declared weight}}
  %0 = ingot.weight_ref @w : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// expected-note @+1 {{declared here}}
ingot.weight @w : tensor<2xf32> in "m.onnx" at 0 length 8
func.func @other_type() -> tensor<1x2xf32> {
  // expected-error @+1 {{has type 'tensor<1x2xf32>', but the weight has 'tensor<2xf32>'}}
  %0 = ingot.weight_ref @w : tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

func.func @two_sizes() -> index {
  // expected-error @+1 {{needs exactly one expression}}
  %0 = ingot.size <a, b>
  return %0 : index
}

// -----

func.func @from_dims() -> tensor<3xi64> {
  // expected-error @+1 {{has 2 expressions for a result of type 'tensor<3xi64>'}}
  %0 = ingot.from_dims <a, b> : tensor<3xi64>
  return %0 : tensor<3xi64>
}

// -----

func.func @from_dims_float() -> tensor<2xf32> {
  // expected-error @+1 {{has elements of type 'f32'}}
  %0 = ingot.from_dims <a, b> : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @syntax(%x: tensor<2xf32>) {
  // expected-error @+1 {{expected a dimension expression}}
  %0 = ingot.size <a + * 2>
  return
}
