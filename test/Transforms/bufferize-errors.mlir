// RUN: ingot-opt %s --ingot-bufferize --split-input-file --verify-diagnostics

// expected-error @below {{expected one block}}
func.func @blocks(%x: tensor<3xf32>) -> tensor<3xf32> {
  cf.br ^end
^end:
  return %x : tensor<3xf32>
}

// -----

func.func @scalar(%x: f32) -> f32 {
  // expected-error @below {{result 0 is not a ranked tensor}}
  return %x : f32
}

// -----

// expected-error @below {{was given no buffer}}
func.func @unranked(%x: tensor<*xf32>) -> tensor<3xf32> {
  %0 = tensor.cast %x : tensor<*xf32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}
