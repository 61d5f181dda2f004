// RUN: ingot-opt %s -ingot-unify-decoder-dims | FileCheck %s

// CHECK-NOT: ingot.dim @total
// CHECK-NOT: ingot.dim @past_b
// CHECK-DAG: ingot.dim @past_a
// CHECK-DAG: ingot.dim @other
ingot.dim @batch
ingot.dim @seq
ingot.dim @past_a
ingot.dim @past_b
ingot.dim @batch_b
ingot.dim @total
ingot.dim @other

// The second past has the length of the first, the mask one for every key; a
// mask of the new tokens keeps its own, and so does what is no integer.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: ingot.dims = #ingot.dims<batch, past_a + seq>
// CHECK-SAME: ingot.dims = #ingot.dims<batch, seq>
// CHECK-SAME: ingot.dims = #ingot.dims<batch, other>
// CHECK-SAME: ingot.dims = #ingot.dims<batch, 2, past_a, 4>
// CHECK-SAME: ingot.dims = #ingot.dims<batch, 2, past_a, 4>
func.func @main(%mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, total>},
                %ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>},
                %bias: tensor<?x?xf32> {ingot.dims = #ingot.dims<batch, other>},
                %a: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past_a, 4>},
                %b: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch_b, 2, past_b, 4>},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>})
    -> (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<1xi64>) {
  %0 = ingot.concat %a, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %1 = ingot.concat %b, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  // CHECK: ingot.from_dims <past_a + 1>
  %2 = ingot.from_dims <total - seq + 1> : tensor<1xi64>
  return %0, %1, %2 : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<1xi64>
}
