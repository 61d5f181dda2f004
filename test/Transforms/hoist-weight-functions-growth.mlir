// RUN: ingot-opt %s --ingot-hoist-weight-functions | FileCheck %s
// What grows on the way is computed while compiling if what the program takes
// is small again; a large result of a small weight is computed by the program.

#row = affine_map<(i, j) -> (i)>
#all = affine_map<(i, j) -> (i, j)>
ingot.weight @w : tensor<2048xf32> in "model.onnx" at 0 length 8192
ingot.weight @v : tensor<2048xf32> in "model.onnx" at 8192 length 8192

// CHECK-LABEL: func.func @main(
// CHECK: %[[V:.*]] = ingot.weight_ref @v
// CHECK: %[[C:.*]] = ingot.weight_ref @computed_0 : tensor<2048xf32>
// CHECK: linalg.generic {{.*}} ins(%[[V]]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[C]]
// CHECK: module @weight_functions
// CHECK: tensor<2048x2048xf32>
func.func @main(%x: tensor<2048x2048xf32>) -> tensor<2048x2048xf32> {
  %w = ingot.weight_ref @w : tensor<2048xf32>
  %v = ingot.weight_ref @v : tensor<2048xf32>
  %wide = tensor.empty() : tensor<2048x2048xf32>
  %narrow = tensor.empty() : tensor<2048xf32>
  %grown = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2048xf32>) outs(%wide : tensor<2048x2048xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<2048x2048xf32>
  %small = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%grown : tensor<2048x2048xf32>) outs(%narrow : tensor<2048xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<2048xf32>
  %large = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%v : tensor<2048xf32>) outs(%wide : tensor<2048x2048xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<2048x2048xf32>
  %0 = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%large, %small : tensor<2048x2048xf32>, tensor<2048xf32>) outs(%x : tensor<2048x2048xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<2048x2048xf32>
  return %0 : tensor<2048x2048xf32>
}
