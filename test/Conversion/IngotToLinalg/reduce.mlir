// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

ingot.dim @n

// CHECK-LABEL: func.func @mean
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: arith.addf
// CHECK: arith.divf
// CHECK: tensor.expand_shape
func.func @mean(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<n, 8>}) -> tensor<?x1xf32> {
  %0 = ingot.reduce <mean> %x axes [1] {keepdims = true} : (tensor<?x8xf32>) -> tensor<?x1xf32>
  return %0 : tensor<?x1xf32>
}

// -----

// The greatest element is taken out of the exponents; short floats are summed
// in f32.
// CHECK-LABEL: func.func @others
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: math.log
// CHECK: arith.maxui
// CHECK: arith.extf
// CHECK: arith.addf %{{.*}} : f32
// CHECK: arith.truncf
func.func @others(%x: tensor<4x8xf32>, %y: tensor<4x8xui8>, %z: tensor<4x8xbf16>) -> (tensor<4xf32>, tensor<4xui8>, tensor<8xbf16>) {
  %0 = ingot.reduce <log_sum_exp> %x axes [1] : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = ingot.reduce <max> %y axes [1] : (tensor<4x8xui8>) -> tensor<4xui8>
  %2 = ingot.reduce <sum> %z axes [0] : (tensor<4x8xbf16>) -> tensor<8xbf16>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xui8>, tensor<8xbf16>
}

// -----

// Walks along an axis are loops inside the element's code.
// CHECK-LABEL: func.func @walks
// CHECK-COUNT-2: scf.for
// CHECK: scf.for
// CHECK: scf.for
func.func @walks(%x: tensor<4x8xf32>) -> (tensor<4xi64>, tensor<4x8xf32>, tensor<4x2xf32>) {
  %0 = ingot.arg_max %x {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4xi64>
  %1 = ingot.cum_sum %x {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = ingot.top_k_values %x {k = #ingot.dims<2>, axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x2xf32>
  return %0, %1, %2 : tensor<4xi64>, tensor<4x8xf32>, tensor<4x2xf32>
}
