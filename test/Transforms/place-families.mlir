// RUN: ingot-opt %s -split-input-file -ingot-place-weights -verify-diagnostics | FileCheck %s

// The members of a family lie equally far from each other, though one of
// them is used before by itself and another program has a shorter list. The
// argument is the bytes of all that are on the list.
// CHECK: module attributes {ingot.weights_bytes = 256 : i64}
// CHECK: ingot.weight @a : {{.*}} {ingot.place = 0 : i64}
// CHECK: ingot.weight @b : {{.*}} {ingot.place = 64 : i64}
// CHECK: ingot.weight @c : {{.*}} {ingot.place = 128 : i64}
// CHECK: ingot.weight @other : {{.*}} {ingot.place = 192 : i64}
// CHECK-LABEL: func.func @main(%{{.*}}: index,
// CHECK-SAME: %[[B:.*]]: tensor<3xf32> {ingot.role = "weight", ingot.weight_offset = 64 : i64}
// CHECK-SAME: %[[O:.*]]: tensor<3xf32> {ingot.role = "weight", ingot.weight_offset = 192 : i64}
// CHECK-SAME: %[[F:.*]]: tensor<140xi8> {ingot.role = "weight", ingot.weight_offset = 0 : i64}
// CHECK: %[[M:.*]] = ingot.weight_view %[[F]][%{{.*}}] stride 64 : tensor<140xi8> to tensor<3xf32>
// CHECK: return %[[B]], %[[O]], %[[M]]
// CHECK-LABEL: func.func @less(%{{.*}}: index,
// CHECK-SAME: %[[F:.*]]: tensor<76xi8> {ingot.role = "weight", ingot.weight_offset = 64 : i64}
// CHECK: ingot.weight_view %[[F]][%{{.*}}] stride 64 : tensor<76xi8> to tensor<3xf32>
module {
ingot.weight @a : tensor<3xf32> in "m.onnx" at 0 length 12
ingot.weight @b : tensor<3xf32> in "m.onnx" at 12 length 12
ingot.weight @c : tensor<3xf32> in "m.onnx" at 24 length 12
ingot.weight @other : tensor<3xf32> in "m.onnx" at 36 length 12
func.func @main(%i: index) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %b = ingot.weight_ref @b : tensor<3xf32>
  %o = ingot.weight_ref @other : tensor<3xf32>
  %m = ingot.weight_member [@a, @b, @c][%i] : tensor<3xf32>
  return %b, %o, %m : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
func.func @less(%i: index) -> tensor<3xf32> {
  %m = ingot.weight_member [@b, @c][%i] : tensor<3xf32>
  return %m : tensor<3xf32>
}
}

// -----

ingot.weight @a : tensor<3xf32> in "m.onnx" at 0 length 12
ingot.weight @b : tensor<3xf32> in "m.onnx" at 12 length 12
ingot.weight @c : tensor<3xf32> in "m.onnx" at 24 length 12
func.func @main(%i: index) -> (tensor<3xf32>, tensor<3xf32>) {
  %m = ingot.weight_member [@a, @b, @c][%i] : tensor<3xf32>
  // expected-error @below {{members do not lie equally far from each other: they are of several families}}
  %n = ingot.weight_member [@a, @c, @b][%i] : tensor<3xf32>
  return %m, %n : tensor<3xf32>, tensor<3xf32>
}

// -----

// What one time of a loop reads lies together, in the order in which it is read.
// CHECK: module attributes {ingot.weights_bytes = 384 : i64}
// CHECK: ingot.weight @a : {{.*}} {ingot.place = 0 : i64}
// CHECK: ingot.weight @b : {{.*}} {ingot.place = 192 : i64}
// CHECK: ingot.weight @p : {{.*}} {ingot.place = 64 : i64}
// CHECK: ingot.weight @q : {{.*}} {ingot.place = 256 : i64}
// CHECK: ingot.weight_view %{{.*}}[%{{.*}}] stride 192 : tensor<204xi8> to tensor<3xf32>
// CHECK: ingot.weight_view %{{.*}}[%{{.*}}] stride 192 : tensor<320xi8> to tensor<32xf32>
ingot.weight @a : tensor<3xf32> in "m.onnx" at 0 length 12
ingot.weight @b : tensor<3xf32> in "m.onnx" at 12 length 12
ingot.weight @p : tensor<32xf32> in "m.onnx" at 24 length 128
ingot.weight @q : tensor<32xf32> in "m.onnx" at 152 length 128
func.func @main(%i: index) -> (tensor<3xf32>, tensor<32xf32>) {
  %m = ingot.weight_member [@a, @b][%i] : tensor<3xf32>
  %n = ingot.weight_member [@p, @q][%i] : tensor<32xf32>
  return %m, %n : tensor<3xf32>, tensor<32xf32>
}
