// RUN: ingot-opt %s --ingot-recognize-linear | FileCheck %s

ingot.dim @seq
ingot.weight @w : tensor<8x4xf32> in "model.onnx" at 0 length 128
ingot.weight @wt : tensor<4x8xf32> in "model.onnx" at 0 length 128
ingot.weight @b : tensor<4xf32> in "model.onnx" at 128 length 16

// CHECK-LABEL: @bias_on_the_left
// CHECK: %[[W:.*]] = ingot.weight_ref @w
// CHECK: %[[B:.*]] = ingot.weight_ref @b
// CHECK: %[[Y:.*]] = ingot.linear ins(%arg0, %[[W]], %[[B]] :
// CHECK-NEXT: return %[[Y]]
func.func @bias_on_the_left(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<seq, 8>}) -> tensor<?x4xf32> {
  %w = ingot.weight_ref @w : tensor<8x4xf32>
  %b = ingot.weight_ref @b : tensor<4xf32>
  %n = ingot.size <seq>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %0 = ingot.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = ingot.add %b, %0 : (tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// The product is used elsewhere, so the addition stays; the weight is computed
// from weights.
// CHECK-LABEL: @shared_product
// CHECK: %[[T:.*]] = ingot.transpose
// CHECK: %[[Y:.*]] = ingot.linear ins(%arg0, %[[T]] :
// CHECK: ingot.add %[[Y]]
func.func @shared_product(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<seq, 8>}) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %w = ingot.weight_ref @wt : tensor<4x8xf32>
  %b = ingot.weight_ref @b : tensor<4xf32>
  %n = ingot.size <seq>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %t = ingot.transpose %w by [1, 0] : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %0 = ingot.matmul ins(%x, %t : tensor<?x8xf32>, tensor<8x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = ingot.add %0, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: @no_weight
// CHECK: ingot.matmul
func.func @no_weight(%x: tensor<?x8xf32>, %y: tensor<8x4xf32>, %e: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = ingot.matmul ins(%x, %y : tensor<?x8xf32>, tensor<8x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
