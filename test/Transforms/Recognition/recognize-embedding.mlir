// RUN: ingot-opt %s --ingot-recognize-dequantize --ingot-recognize-embedding | FileCheck %s

ingot.dim @seq
ingot.weight @table : tensor<100x8xf32> in "model.onnx" at 0 length 3200
ingot.weight @codes : tensor<100x8xi8> in "model.onnx" at 0 length 800
ingot.weight @scale : tensor<100x1xf32> in "model.onnx" at 800 length 400

// CHECK-LABEL: @plain
// CHECK: ingot.embedding %{{.*}}, %arg0 : (tensor<100x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
func.func @plain(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<seq>}) -> tensor<?x8xf32> {
  %t = ingot.weight_ref @table : tensor<100x8xf32>
  %0 = ingot.gather %t, %ids {axis = 0 : i64} : (tensor<100x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// The codes and their scales are looked up; the table is never decoded.
// CHECK-LABEL: @scaled_rows
// CHECK-NOT: ingot.dequantize
// CHECK: %[[C:.*]] = ingot.embedding %{{.*}}, %arg0 : (tensor<100x8xi8>, tensor<?xi64>) -> tensor<?x8xi8>
// CHECK: %[[F:.*]] = ingot.cast %[[C]]
// CHECK: %[[S:.*]] = ingot.gather %{{.*}}, %arg0 {axis = 0 : i64} : (tensor<100xf32>, tensor<?xi64>) -> tensor<?xf32>
// CHECK: %[[R:.*]] = ingot.reshape %[[S]] to <seq, 1>
// CHECK: ingot.mul %[[F]], %[[R]]
func.func @scaled_rows(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<seq>}) -> tensor<?x8xf32> {
  %c = ingot.weight_ref @codes : tensor<100x8xi8>
  %s = ingot.weight_ref @scale : tensor<100x1xf32>
  %f = ingot.cast %c {to = f32} : (tensor<100x8xi8>) -> tensor<100x8xf32>
  %t = ingot.mul %s, %f : (tensor<100x1xf32>, tensor<100x8xf32>) -> tensor<100x8xf32>
  %0 = ingot.gather %t, %ids {axis = 0 : i64} : (tensor<100x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
