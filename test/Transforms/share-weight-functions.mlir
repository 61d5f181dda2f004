// RUN: ingot-opt %s -ingot-hoist-weight-functions -ingot-share-weight-functions | FileCheck %s

// The same is computed of two weights by one function; what makes two results
// of one value stays together.
// CHECK: ingot.weight @[[A:computed_.*]] : tensor<4x4xf32>
// CHECK: ingot.weight @[[B:computed_.*]] : tensor<4x4xf32>
// CHECK: ingot.weight @[[C:computed_.*]] : tensor<4x4xf32>
// CHECK: ingot.weight @[[N:computed_.*]] : tensor<4x4xf32>
// CHECK: module @weight_functions attributes {ingot.calls = [
// CHECK-SAME: {function = @main, inputs = [@a], outputs = [@[[A]]]}
// CHECK-SAME: {function = @main, inputs = [@b], outputs = [@[[B]]]}
// CHECK-SAME: {function = @main_1, inputs = [@c], outputs = [@[[C]], @[[N]]]}
// CHECK: func.func @main(%[[X:.*]]: tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[X]]
// CHECK-NEXT: return %[[T]]
// CHECK: func.func @main_1(%[[X:.*]]: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>)
// CHECK: %[[E:.*]] = linalg.exp ins(%[[X]]
// CHECK: %[[N:.*]] = linalg.negf ins(%[[E]]
// CHECK-NEXT: return %[[E]], %[[N]]
// CHECK-NOT: func.func
ingot.weight @a : tensor<4x4xf32> in "model.onnx" at 0 length 64
ingot.weight @b : tensor<4x4xf32> in "model.onnx" at 64 length 64
ingot.weight @c : tensor<4x4xf32> in "model.onnx" at 128 length 64
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %a = ingot.weight_ref @a : tensor<4x4xf32>
  %b = ingot.weight_ref @b : tensor<4x4xf32>
  %c = ingot.weight_ref @c : tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %ta = linalg.transpose ins(%a : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  %tb = linalg.transpose ins(%b : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  %ec = linalg.exp ins(%c : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %nc = linalg.negf ins(%ec : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %0 = linalg.add ins(%x, %ta : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = linalg.add ins(%0, %tb : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = linalg.add ins(%1, %ec : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = linalg.sub ins(%2, %nc : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %3 : tensor<4x4xf32>
}
