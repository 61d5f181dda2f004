// RUN: ingot-opt %s --ingot-recognize-dequantize | FileCheck %s

ingot.weight @codes : tensor<4x8xi8> in "model.onnx" at 0 length 32
ingot.weight @scale : tensor<1x8xf32> in "model.onnx" at 32 length 32

// CHECK-LABEL: @columns
// CHECK: %[[S:.*]] = ingot.reshape %{{.*}} to <8>
// CHECK: ingot.dequantize %{{.*}}, %[[S]] : (tensor<4x8xi8>, tensor<8xf32>) -> tensor<4x8xf32>
func.func @columns() -> tensor<4x8xf32> {
  %c = ingot.weight_ref @codes : tensor<4x8xi8>
  %s = ingot.weight_ref @scale : tensor<1x8xf32>
  %f = ingot.cast %c {to = f32} : (tensor<4x8xi8>) -> tensor<4x8xf32>
  %t = ingot.mul %f, %s : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  return %t : tensor<4x8xf32>
}

// Codes that come with the run are no weights.
// CHECK-LABEL: @data
// CHECK-NOT: ingot.dequantize
func.func @data(%c: tensor<4x8xi8>) -> tensor<4x8xf32> {
  %s = ingot.weight_ref @scale : tensor<1x8xf32>
  %f = ingot.cast %c {to = f32} : (tensor<4x8xi8>) -> tensor<4x8xf32>
  %t = ingot.mul %f, %s : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  return %t : tensor<4x8xf32>
}
