// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: printf 'AAAABBBBCCCCDDDDEEEEFFFF' > table
// RUN: printf 'AAAABBBBCCCCDDDDEEEEFFFFAAAADDDDBBBBEEEECCCCFFFFAAAADDDDBBBBEEEECCCCFFFX' > others
// RUN: printf 'AAAABBBBBBBBDDDD' > symmetric
// RUN: ingot-opt %s --ingot-merge-weights --split-input-file | FileCheck %s

// CHECK: ingot.weight @table
// CHECK-NOT: ingot.weight @copy
// CHECK-NOT: ingot.weight @turned
// CHECK: ingot.weight @nearly
// CHECK: ingot.weight @integers
// CHECK: ingot.weight @short
ingot.weight @table : tensor<2x3xf32> in "table" at 0 length 24
ingot.weight @copy : tensor<2x3xf32> in "others" at 0 length 24
ingot.weight @turned : tensor<3x2xf32> in "others" at 24 length 24
ingot.weight @nearly : tensor<3x2xf32> in "others" at 48 length 24
ingot.weight @integers : tensor<2x3xi32> in "table" at 0 length 24
// The file ends before it.
ingot.weight @short : tensor<2x3xf32> in "table" at 4 length 24

// CHECK-LABEL: func.func @main(
func.func @main() -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<2x3xi32>, tensor<2x3xf32>) {
  // CHECK: %[[TABLE:.*]] = ingot.weight_ref @table
  %0 = ingot.weight_ref @table : tensor<2x3xf32>
  // CHECK: %[[COPY:.*]] = ingot.weight_ref @table : tensor<2x3xf32>
  %1 = ingot.weight_ref @copy : tensor<2x3xf32>
  // CHECK: %[[AGAIN:.*]] = ingot.weight_ref @table : tensor<2x3xf32>
  // CHECK: %[[TURNED:.*]] = ingot.transpose %[[AGAIN]] by [1, 0]
  %2 = ingot.weight_ref @turned : tensor<3x2xf32>
  // CHECK: %[[NEARLY:.*]] = ingot.weight_ref @nearly
  %3 = ingot.weight_ref @nearly : tensor<3x2xf32>
  // CHECK: %[[INTEGERS:.*]] = ingot.weight_ref @integers
  %4 = ingot.weight_ref @integers : tensor<2x3xi32>
  // CHECK: %[[SHORT:.*]] = ingot.weight_ref @short
  %5 = ingot.weight_ref @short : tensor<2x3xf32>
  // CHECK: return %[[TABLE]], %[[COPY]], %[[TURNED]], %[[NEARLY]], %[[INTEGERS]], %[[SHORT]]
  return %0, %1, %2, %3, %4, %5 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<2x3xi32>, tensor<2x3xf32>
}

// -----

// A symmetric matrix is its own transpose; a file that is missing tells nothing.
// CHECK: ingot.weight @symmetric
ingot.weight @symmetric : tensor<2x2xf32> in "symmetric" at 0 length 16
// CHECK: ingot.weight @nowhere
ingot.weight @nowhere : tensor<2x2xf32> in "missing" at 0 length 16
// CHECK-LABEL: func.func @alone(
func.func @alone() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  // CHECK-NOT: ingot.transpose
  %0 = ingot.weight_ref @symmetric : tensor<2x2xf32>
  %1 = ingot.weight_ref @nowhere : tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}
