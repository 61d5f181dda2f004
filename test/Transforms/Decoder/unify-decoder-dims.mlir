// RUN: ingot-opt %s -ingot-unify-decoder-dims -split-input-file | FileCheck %s

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

// -----

// A mask of keys that do not grow has their length, whatever it calls it.
// CHECK-LABEL: func.func @cross(
// CHECK-SAME: ingot.dims = #ingot.dims<batch, enc>
// CHECK-SAME: ingot.dims = #ingot.dims<batch, 2, 3, enc>
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @enc
ingot.dim @total
func.func @cross(%mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, total>},
                 %scores: tensor<?x2x3x?xi64> {ingot.dims = #ingot.dims<batch, 2, 3, enc>},
                 %a: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>},
                 %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>})
    -> (tensor<?x2x?x4xf32>, tensor<?x2x3x?xi64>) {
  %0 = ingot.concat %a, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %1 = ingot.reshape %mask to <batch, 1, 1, total> : (tensor<?x?xi64>) -> tensor<?x1x1x?xi64>
  %2 = ingot.add %1, %scores : (tensor<?x1x1x?xi64>, tensor<?x2x3x?xi64>) -> tensor<?x2x3x?xi64>
  return %0, %2 : tensor<?x2x?x4xf32>, tensor<?x2x3x?xi64>
}

// -----

// Positions end before the table that they are cut at does, and a step has a
// token; types follow.
// CHECK: module attributes {ingot.position_limit = 20 : i64}
// CHECK-LABEL: func.func @limits(
// CHECK: ingot.slice %arg0 from <past, 0> size <1, 4> step [1, 1] : (tensor<20x4xf32>) -> tensor<1x4xf32>
// CHECK: ingot.from_dims <past>
ingot.dim @batch
ingot.dim @past
func.func @limits(%table: tensor<20x4xf32>,
                  %a: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>},
                  %new: tensor<?x2x1x4xf32> {ingot.dims = #ingot.dims<batch, 2, 1, 4>})
    -> (tensor<?x2x?x4xf32>, tensor<?x4xf32>, tensor<1xi64>) {
  %0 = ingot.concat %a, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x1x4xf32>) -> tensor<?x2x?x4xf32>
  %1 = ingot.slice %table from <min(20, past), 0> size <max(0, min(20, past + 1) - min(20, past)), 4> step [1, 1] : (tensor<20x4xf32>) -> tensor<?x4xf32>
  %2 = ingot.from_dims <min(past, past + 1)> : tensor<1xi64>
  return %0, %1, %2 : tensor<?x2x?x4xf32>, tensor<?x4xf32>, tensor<1xi64>
}

// -----

// A limit that is there already and less stays.
// CHECK: module attributes {ingot.position_limit = 9 : i64}
module attributes {ingot.position_limit = 9 : i64} {
  ingot.dim @batch
  ingot.dim @past
  func.func @limited(%table: tensor<20x4xf32>,
                     %a: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>},
                     %new: tensor<?x2x1x4xf32> {ingot.dims = #ingot.dims<batch, 2, 1, 4>})
      -> (tensor<?x2x?x4xf32>, tensor<?x4xf32>) {
    %0 = ingot.concat %a, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x1x4xf32>) -> tensor<?x2x?x4xf32>
    %1 = ingot.slice %table from <min(20, past), 0> size <max(0, min(20, past + 1) - min(20, past)), 4> step [1, 1] : (tensor<20x4xf32>) -> tensor<?x4xf32>
    return %0, %1 : tensor<?x2x?x4xf32>, tensor<?x4xf32>
  }
}
