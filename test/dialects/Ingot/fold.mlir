// RUN: ingot-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @neutral
func.func @neutral(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = ingot.constant dense<1.0> : tensor<f32>
  %zero = ingot.constant dense<0.0> : tensor<f32>
  // CHECK-NOT: ingot.mul
  %0 = ingot.mul %x, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = ingot.sub %0, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  // CHECK: return %arg0
  return %1 : tensor<4xf32>
}

// A float plus zero is not always itself: -0.0 becomes 0.0.
// CHECK-LABEL: func.func @float_zero
func.func @float_zero(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = ingot.constant dense<0.0> : tensor<f32>
  // CHECK: ingot.add
  %0 = ingot.add %x, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @transposes
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = ingot.transpose %x by [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = ingot.transpose %0 by [2, 0, 1] : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  // CHECK: return %arg0
  return %1 : tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @reshapes
func.func @reshapes(%x: tensor<?x6xf32>) -> tensor<?x3x2xf32> {
  %0 = ingot.reshape %x to <n * 6> : (tensor<?x6xf32>) -> tensor<?xf32>
  // CHECK: ingot.reshape %arg0 to <n, 3, 2> : (tensor<?x6xf32>)
  %1 = ingot.reshape %0 to <n, 3, 2> : (tensor<?xf32>) -> tensor<?x3x2xf32>
  return %1 : tensor<?x3x2xf32>
}

// CHECK-LABEL: func.func @sizes
func.func @sizes() -> (index, tensor<2xi64>) {
  // CHECK-DAG: %[[N:.*]] = arith.constant 12 : index
  %0 = ingot.size <3 * 4>
  // CHECK-DAG: ingot.constant dense<[2, 3]> : tensor<2xi64>
  %1 = ingot.from_dims <2, 3> : tensor<2xi64>
  return %0, %1 : index, tensor<2xi64>
}

// CHECK-LABEL: func.func @choices
func.func @choices(%x: tensor<4xf32>, %c: tensor<4xi1>) -> (tensor<4xf32>, tensor<4xi1>) {
  %0 = ingot.where %c, %x, %x : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = ingot.not %c : (tensor<4xi1>) -> tensor<4xi1>
  %2 = ingot.not %1 : (tensor<4xi1>) -> tensor<4xi1>
  // CHECK: return %arg0, %arg1
  return %0, %2 : tensor<4xf32>, tensor<4xi1>
}

// CHECK-LABEL: func.func @borders
func.func @borders(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = ingot.pad %x {high = #ingot.dims<0, 0>, low = #ingot.dims<0, 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: return %arg0
  return %0 : tensor<?x4xf32>
}
