// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Windows are rows of a matrix product.
// CHECK: affine_map<(d0, d1, d2, d3) -> (d0, d2, d1 * 2 + d3)>
// CHECK-LABEL: func.func @conv
// CHECK: tensor.insert_slice %arg0 into
// CHECK: ingot.linear ins({{.*}} : tensor<8x9xf32>, tensor<1x9x16xf32>)
// CHECK: arith.addf
func.func @conv(%x: tensor<2x3x8xf32>, %w: tensor<5x3x3xf32>, %b: tensor<5xf32>) -> tensor<2x5x4xf32> {
  %0 = ingot.conv %x, %w, %b strides [2] dilations [1] pads [1, 1] group 1 : (tensor<2x3x8xf32>, tensor<5x3x3xf32>, tensor<5xf32>) -> tensor<2x5x4xf32>
  return %0 : tensor<2x5x4xf32>
}

// -----

// CHECK-LABEL: func.func @pools
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK: arith.maximumf
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK: arith.divf
func.func @pools(%x: tensor<1x2x8xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x8xf32>) {
  %0 = ingot.pool <max> %x {kernel = array<i64: 2>, strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x2x8xf32>) -> tensor<1x2x4xf32>
  %1 = ingot.pool <average> %x {kernel = array<i64: 3>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 1, 1>} : (tensor<1x2x8xf32>) -> tensor<1x2x8xf32>
  return %0, %1 : tensor<1x2x4xf32>, tensor<1x2x8xf32>
}
