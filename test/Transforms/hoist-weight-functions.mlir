// RUN: ingot-opt %s -ingot-hoist-weight-functions -ingot-place-weights | FileCheck %s

// CHECK: module attributes {ingot.weights_bytes = 128 : i64}
// The weight itself is not needed any more, what is computed from it is.
// CHECK: ingot.weight @w : {{.*}} length 64{{$}}
// CHECK: ingot.weight @b : {{.*}} {ingot.place = 0 : i64}
// CHECK: ingot.weight @[[C:computed_0]] : tensor<4x4xf32> in "" at 0 length 64 {ingot.place = 64 : i64}
// CHECK: func.func @main(%[[X:.*]]: tensor<4x4xf32>,
// CHECK-SAME: %[[B:.*]]: tensor<4x4xf32> {ingot.role = "weight", ingot.weight_offset = 0 : i64}
// CHECK-SAME: %[[W:.*]]: tensor<4x4xf32> {ingot.role = "weight", ingot.weight_offset = 64 : i64}
// CHECK-NOT: linalg.transpose
// CHECK: linalg.matmul ins(%[[X]], %[[W]]
// CHECK: linalg.add ins(%{{.*}}, %[[B]]
// CHECK: module @weight_functions
// CHECK: func.func @main(%[[IN:.*]]: tensor<4x4xf32> {ingot.weight = @w}) -> (tensor<4x4xf32> {ingot.weight = @[[C]]})
// CHECK: linalg.transpose ins(%[[IN]]
ingot.weight @w : tensor<4x4xf32> in "model.onnx" at 0 length 64
ingot.weight @b : tensor<4x4xf32> in "model.onnx" at 64 length 64
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %w = ingot.weight_ref @w : tensor<4x4xf32>
  %b = ingot.weight_ref @b : tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %t = linalg.transpose ins(%w : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %t : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = linalg.add ins(%0, %b : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}
