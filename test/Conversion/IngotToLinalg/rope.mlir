// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @partial
// CHECK: ingot.rotate ins(%arg0, %arg1, %arg2 : tensor<2x8xf32>, tensor<2x3xf32>, tensor<2x3xf32>) outs(%{{.*}} : tensor<2x8xf32>) -> tensor<2x8xf32>
func.func @partial(%x: tensor<2x8xf32>, %c: tensor<2x3xf32>, %s: tensor<2x3xf32>) -> tensor<2x8xf32> {
  %0 = ingot.rope %x, %c, %s : (tensor<2x8xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// Short floats are computed with as f32.
// CHECK-LABEL: func.func @interleaved
// CHECK: arith.extf
// CHECK: ingot.rotate {{.*}} {interleaved} -> tensor<2x8xf32>
// CHECK: arith.truncf
func.func @interleaved(%x: tensor<2x8xf16>, %c: tensor<2x4xf16>, %s: tensor<2x4xf16>) -> tensor<2x8xf16> {
  %0 = ingot.rope %x, %c, %s {interleaved = true} : (tensor<2x8xf16>, tensor<2x4xf16>, tensor<2x4xf16>) -> tensor<2x8xf16>
  return %0 : tensor<2x8xf16>
}

// Tokens with tables of their own follow each other, whatever row they are of.
// CHECK-LABEL: func.func @tokens
// CHECK: ingot.rotate ins({{.*}} : tensor<6x4x8xf32>, tensor<6x1x4xf32>, tensor<6x1x4xf32>)
func.func @tokens(%x: tensor<2x3x4x8xf32>, %c: tensor<2x3x1x4xf32>, %s: tensor<2x3x1x4xf32>) -> tensor<2x3x4x8xf32> {
  %0 = ingot.rope %x, %c, %s : (tensor<2x3x4x8xf32>, tensor<2x3x1x4xf32>, tensor<2x3x1x4xf32>) -> tensor<2x3x4x8xf32>
  return %0 : tensor<2x3x4x8xf32>
}

// Of a table whose rows may or may not be one, the rows of the result are made.
// CHECK-LABEL: func.func @undecided
// CHECK: linalg.generic
// CHECK: ingot.rotate ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4x8xf32>, tensor<?x4x4xf32>, tensor<?x4x4xf32>)
func.func @undecided(%x: tensor<?x4x8xf32> {ingot.dims = #ingot.dims<a, 4, 8>}, %c: tensor<?x1x4xf32> {ingot.dims = #ingot.dims<b, 1, 4>}) -> tensor<?x4x8xf32> {
  %0 = ingot.rope %x, %c, %c : (tensor<?x4x8xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>) -> tensor<?x4x8xf32>
  return %0 : tensor<?x4x8xf32>
}
