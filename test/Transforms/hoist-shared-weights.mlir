// RUN: ingot-opt %s -ingot-hoist-weight-functions -ingot-place-weights | FileCheck %s

// What two programs compute from the same weight is one weight of both; a
// result that only one of them needs comes from the same function.
// CHECK: module attributes {ingot.weights_bytes = 128 : i64}
// CHECK: ingot.weight @[[T:computed_0]] : {{.*}} {ingot.place = 0 : i64}
// CHECK: ingot.weight @[[N:computed_.*]] : {{.*}} {ingot.place = 64 : i64}
// CHECK-LABEL: func.func @main(
// CHECK-SAME: {ingot.role = "weight", ingot.weight_offset = 0 : i64}) ->
// CHECK-LABEL: func.func @all(
// CHECK-SAME: %{{.*}}: tensor<4x4xf32> {ingot.role = "weight", ingot.weight_offset = 0 : i64}
// CHECK-SAME: %{{.*}}: tensor<4x4xf32> {ingot.role = "weight", ingot.weight_offset = 64 : i64}) ->
// CHECK: module @weight_functions
// CHECK: func.func @main(%[[IN:.*]]: tensor<4x4xf32> {ingot.weight = @w}) -> (tensor<4x4xf32> {ingot.weight = @[[T]]}, tensor<4x4xf32> {ingot.weight = @[[N]]})
// CHECK: %[[A:.*]] = linalg.transpose ins(%[[IN]]
// CHECK: %[[B:.*]] = linalg.negf ins(%[[A]]
// CHECK-NOT: linalg.
// CHECK: return %{{.*}}, %{{.*}} : tensor<4x4xf32>, tensor<4x4xf32>
ingot.weight @w : tensor<4x4xf32> in "model.onnx" at 0 length 64
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %w = ingot.weight_ref @w : tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %t = linalg.transpose ins(%w : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  %0 = linalg.add ins(%x, %t : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}
func.func @all(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  %w = ingot.weight_ref @w : tensor<4x4xf32>
  %t = linalg.transpose ins(%w : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  %n = linalg.negf ins(%t : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %0 = linalg.add ins(%x, %t : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = linalg.add ins(%0, %n : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}
