// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse | FileCheck %s
// A table whose transpose is multiplied with is kept once, as packed panels,
// from which lookups read as well.

ingot.weight @table : tensor<40x8xf32> in "m.onnx" at 0 length 1280
ingot.dim @n
// CHECK-LABEL: func.func @tied(
func.func @tied(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<n>}) -> tensor<?x40xf32> {
  %table = ingot.weight_ref @table : tensor<40x8xf32>
  %x = ingot.embedding %table, %ids : (tensor<40x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  %w = ingot.transpose %table by [1, 0] : (tensor<40x8xf32>) -> tensor<8x40xf32>
  %size = ingot.size <n>
  %init = tensor.empty(%size) : tensor<?x40xf32>
  // CHECK: %[[PACKED:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x8x16xf32>)
  // CHECK: tensor.extract %[[PACKED]][%{{.*}}, %{{.*}}, %{{.*}}] : tensor<3x8x16xf32>
  // CHECK: ingot.linear ins(%{{.*}}, %[[PACKED]]
  %y = ingot.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x40xf32>) outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}
