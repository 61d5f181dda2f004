// RUN: ingot-opt %s | ingot-opt | FileCheck %s

ingot.weight @a : tensor<3xf32> in "m.onnx" at 0 length 12
ingot.weight @b : tensor<3xf32> in "m.onnx" at 12 length 12

// CHECK-LABEL: func.func @members(
// CHECK-SAME: %[[I:[a-z0-9]*]]: index, %[[A:[a-z0-9]*]]: !ingot.cache<{{.*}}>, %[[B:[a-z0-9]*]]: !ingot.cache<{{.*}}>, %[[F:[a-z0-9]*]]: tensor<76xi8>)
!cache = !ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @members(%i: index, %a: !cache, %b: !cache, %family: tensor<76xi8>)
    -> (tensor<3xf32>, tensor<3xf32>, !cache) {
  // CHECK: ingot.weight_member [@a, @b][%[[I]]] : tensor<3xf32>
  %0 = ingot.weight_member [@a, @b][%i] : tensor<3xf32>
  // CHECK: ingot.weight_view %[[F]][%[[I]]] stride 64 : tensor<76xi8> to tensor<3xf32>
  %1 = ingot.weight_view %family[%i] stride 64 : tensor<76xi8> to tensor<3xf32>
  // CHECK: ingot.cache_member [%[[I]]] of %[[A]], %[[B]] {note} : !ingot.cache<heads = 1,
  %2 = ingot.cache_member [%i] of %a, %b {note} : !cache
  return %0, %1, %2 : tensor<3xf32>, tensor<3xf32>, !cache
}
