// RUN: ingot-opt %s -ingot-place-weights | FileCheck %s

// Places follow the order of use and are multiples of 64; a weight that is
// used twice has one.
// CHECK: module attributes {ingot.weights_bytes = 128 : i64}
// CHECK: ingot.weight @a : tensor<3xf32> in "m.onnx" at 0 length 12 {ingot.place = 64 : i64}
// CHECK: ingot.weight @b : tensor<3xf32> in "m.onnx" at 12 length 12 {ingot.place = 0 : i64}
// CHECK: ingot.weight @unused : tensor<3xf32> in "m.onnx" at 24 length 12{{$}}
// CHECK: func @main(%[[B:.*]]: tensor<3xf32> {ingot.role = "weight", ingot.weight_offset = 0 : i64}, %[[A:.*]]: tensor<3xf32> {ingot.role = "weight", ingot.weight_offset = 64 : i64})
// CHECK: return %[[B]], %[[A]], %[[B]]
ingot.weight @a : tensor<3xf32> in "m.onnx" at 0 length 12
ingot.weight @b : tensor<3xf32> in "m.onnx" at 12 length 12
ingot.weight @unused : tensor<3xf32> in "m.onnx" at 24 length 12
func.func @main() -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %b = ingot.weight_ref @b : tensor<3xf32>
  %a = ingot.weight_ref @a : tensor<3xf32>
  %c = ingot.weight_ref @b : tensor<3xf32>
  return %b, %a, %c : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
