// RUN: ingot-opt %s -ingot-bufferize | FileCheck %s

// Functions share the globals of equal constants.
// CHECK-DAG: memref.global "private" constant @[[TWO:.*]] : memref<2xf32> = dense<[1.000000e+00, 2.000000e+00]>
// CHECK-DAG: memref.global "private" constant @[[THREE:.*]] : memref<2xf32> = dense<[1.000000e+00, 3.000000e+00]>
// CHECK-LABEL: func @constants(
// CHECK-DAG: memref.get_global @[[TWO]]
// CHECK-DAG: memref.get_global @[[THREE]]
// CHECK-LABEL: func @same_constants(
// CHECK: memref.get_global @[[THREE]]
func.func @constants(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %e = tensor.empty() : tensor<2xf32>
  %two = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %three = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %0 = linalg.add ins(%x, %two : tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  %1 = linalg.add ins(%x, %three : tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
func.func @same_constants(%x: tensor<2xf32>) -> tensor<2xf32> {
  %e = tensor.empty() : tensor<2xf32>
  %three = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %0 = linalg.add ins(%x, %three : tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
