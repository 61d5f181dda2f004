// RUN: ingot-opt %s --convert-ingot-to-linalg --verify-diagnostics --split-input-file

// Every op is reported, each at its own place.
func.func @all(%x: tensor<4xi32>, %y: tensor<2x4xf64>) -> (tensor<4xi32>, tensor<4xi1>) {
  // expected-error @below {{unsupported dtype: i32 in ingot.exp}}
  %0 = ingot.exp %x : (tensor<4xi32>) -> tensor<4xi32>
  // expected-error @below {{unsupported dtype: i32 in ingot.is_nan}}
  %1 = ingot.is_nan %x : (tensor<4xi32>) -> tensor<4xi1>
  return %0, %1 : tensor<4xi32>, tensor<4xi1>
}

// -----

// expected-error @below {{unsupported type: argument 0 has dims of which nothing is known}}
func.func @unknown(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

func.func @cast(%x: tensor<3xf32>) -> tensor<3xf64> {
  // expected-error @below {{unsupported type: between 'tensor<3xf32>' and 'tensor<3xf64>'}}
  %0 = builtin.unrealized_conversion_cast %x : tensor<3xf32> to tensor<3xf64>
  return %0 : tensor<3xf64>
}
