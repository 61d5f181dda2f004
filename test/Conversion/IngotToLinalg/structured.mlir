// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

ingot.dim @b
ingot.dim @s

// The softmax runs over rows: the axis goes last and comes back.
// CHECK-LABEL: func.func @softmax
// CHECK: linalg.generic
// CHECK: ingot.size <b * 4>
// CHECK: ingot.softmax ins({{.*}} : tensor<?x?xf32>) {{.*}} {axis = 1 : i64}
// CHECK: linalg.generic
func.func @softmax(%x: tensor<?x?x4xf32> {ingot.dims = #ingot.dims<b, s, 4>}) -> tensor<?x?x4xf32> {
  %0 = ingot.softmax ins(%x : tensor<?x?x4xf32>) outs(%x : tensor<?x?x4xf32>) {axis = 1 : i64} -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
}

// -----

// Short floats are computed with in f32.
// CHECK-LABEL: func.func @norm
// CHECK: arith.extf
// CHECK: ingot.layer_norm {{.*}} tensor<6x4xf32>
// CHECK: arith.truncf
func.func @norm(%x: tensor<2x3x4xf16>, %g: tensor<4xf16>) -> tensor<2x3x4xf16> {
  %0 = ingot.layer_norm ins(%x, %g : tensor<2x3x4xf16>, tensor<4xf16>) outs(%x : tensor<2x3x4xf16>) {epsilon = 1.0e-5 : f64} -> tensor<2x3x4xf16>
  return %0 : tensor<2x3x4xf16>
}

// -----

ingot.dim @s

// The mask of keys is bytes.
// CHECK-LABEL: func.func @attention
// CHECK: ingot.attention {{.*}} key_mask(%arg1 : tensor<2x?xi8>)
func.func @attention(%q: tensor<2x?x4x8xf32> {ingot.dims = #ingot.dims<2, s, 4, 8>},
                     %m: tensor<2x?xi1> {ingot.dims = #ingot.dims<2, s>}) -> tensor<2x?x4x8xf32> {
  %0 = ingot.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) key_mask(%m : tensor<2x?xi1>) outs(%q : tensor<2x?x4x8xf32>) {scale = 0.5 : f64} -> tensor<2x?x4x8xf32>
  return %0 : tensor<2x?x4x8xf32>
}
