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

ingot.weight @nibbles : tensor<4x64xui4> in "model.onnx" at 64 length 128
ingot.weight @blocks : tensor<4x2xf32> in "model.onnx" at 192 length 32
ingot.weight @minima : tensor<4x2x1xf32> in "model.onnx" at 224 length 32
ingot.weight @turned : tensor<2x4xf32> in "model.onnx" at 256 length 32

// Minima of the blocks go to the zero points.
// CHECK-LABEL: @minima_of_blocks
// CHECK-DAG: %[[C:.*]] = ingot.weight_ref @nibbles
// CHECK-DAG: %[[B:.*]] = ingot.weight_ref @blocks
// CHECK-DAG: %[[M3:.*]] = ingot.weight_ref @minima
// CHECK: %[[M:.*]] = ingot.reshape %[[M3]] to <4, 2>
// CHECK: %[[A:.*]] = ingot.abs %[[M]]
// CHECK: %[[AS:.*]] = ingot.abs %[[B]]
// CHECK: %[[R:.*]] = ingot.mul %[[AS]], %{{.*}} : (tensor<4x2xf32>, tensor<f32>)
// CHECK: %[[ALONE:.*]] = ingot.greater %[[A]], %[[R]]
// CHECK: %[[S:.*]] = ingot.where %[[ALONE]], %{{.*}}, %[[B]]
// CHECK: %[[D:.*]] = ingot.div %[[M]], %[[S]]
// CHECK: %[[SHIFT:.*]] = ingot.where %{{.*}}, %{{.*}}, %[[D]]
// CHECK: %[[Z:.*]] = ingot.sub %{{.*}}, %[[SHIFT]]
// CHECK: %[[W:.*]] = ingot.dequantize %[[C]], %[[S]], %[[Z]] {block_size = 32 : i64, ingot.accuracy_level = 4 : i64}
// CHECK: return %[[W]]
func.func @minima_of_blocks() -> tensor<4x64xf32> {
  %c = ingot.weight_ref @nibbles : tensor<4x64xui4>
  %s = ingot.weight_ref @blocks : tensor<4x2xf32>
  %m = ingot.weight_ref @minima : tensor<4x2x1xf32>
  %d = ingot.dequantize %c, %s {block_size = 32 : i64, ingot.accuracy_level = 4 : i64} : (tensor<4x64xui4>, tensor<4x2xf32>) -> tensor<4x64xf32>
  %b = ingot.broadcast_to %m to <4, 2, 32> : (tensor<4x2x1xf32>) -> tensor<4x2x32xf32>
  %r = ingot.reshape %b to <4, 64> : (tensor<4x2x32xf32>) -> tensor<4x64xf32>
  %w = ingot.add %r, %d : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  return %w : tensor<4x64xf32>
}

// The same in three dims, with the parameters stored the other way round, a
// zero point and the minima subtracted.
// CHECK-LABEL: @blocks_as_a_dim
// CHECK-DAG: %[[C:.*]] = ingot.weight_ref @nibbles
// CHECK-DAG: %[[T:.*]] = ingot.weight_ref @turned
// CHECK: %[[S:.*]] = ingot.transpose %[[T]] by [1, 0]
// CHECK: ingot.dequantize %{{.*}}, %{{.*}}, %{{.*}} {block_size = 32 : i64} : (tensor<4x64xui4>, tensor<4x2xf32>, tensor<4x2xf32>)
// CHECK-NOT: ingot.dequantize
// CHECK: return
func.func @blocks_as_a_dim() -> tensor<4x64xf32> {
  %c = ingot.weight_ref @nibbles : tensor<4x64xui4>
  %t = ingot.weight_ref @turned : tensor<2x4xf32>
  %m = ingot.weight_ref @minima : tensor<4x2x1xf32>
  %eight = ingot.constant dense<8.0> : tensor<f32>
  %c3 = ingot.reshape %c to <4, 2, 32> : (tensor<4x64xui4>) -> tensor<4x2x32xui4>
  %f = ingot.cast %c3 {to = f32} : (tensor<4x2x32xui4>) -> tensor<4x2x32xf32>
  %z = ingot.sub %f, %eight : (tensor<4x2x32xf32>, tensor<f32>) -> tensor<4x2x32xf32>
  %s = ingot.transpose %t by [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %s3 = ingot.reshape %s to <4, 2, 1> : (tensor<4x2xf32>) -> tensor<4x2x1xf32>
  %v = ingot.mul %z, %s3 : (tensor<4x2x32xf32>, tensor<4x2x1xf32>) -> tensor<4x2x32xf32>
  %w = ingot.sub %v, %m : (tensor<4x2x32xf32>, tensor<4x2x1xf32>) -> tensor<4x2x32xf32>
  %r = ingot.reshape %w to <4, 64> : (tensor<4x2x32xf32>) -> tensor<4x64xf32>
  return %r : tensor<4x64xf32>
}

// A minimum for every column is none of a block along the rows.
// CHECK-LABEL: @minima_of_columns
// CHECK: ingot.add
func.func @minima_of_columns() -> tensor<4x64xf32> {
  %c = ingot.weight_ref @nibbles : tensor<4x64xui4>
  %s = ingot.weight_ref @blocks : tensor<4x2xf32>
  %m = ingot.weight_ref @each : tensor<64xf32>
  %d = ingot.dequantize %c, %s {block_size = 32 : i64} : (tensor<4x64xui4>, tensor<4x2xf32>) -> tensor<4x64xf32>
  %w = ingot.add %d, %m : (tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xf32>
  return %w : tensor<4x64xf32>
}
ingot.weight @each : tensor<64xf32> in "model.onnx" at 288 length 256
