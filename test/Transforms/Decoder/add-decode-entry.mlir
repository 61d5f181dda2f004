// RUN: ingot-opt %s -split-input-file -ingot-add-decode-entry | FileCheck %s

// The copy has one token a row wherever the length of the sequence was, and
// logits of two dims. The original stays.
// CHECK-LABEL: func.func @all(
// CHECK-SAME: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>
// CHECK: return %{{.*}} : tensor<?x?x32xf32>
// CHECK-LABEL: func.func @decode(
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<?x1xi64> {ingot.dims = #ingot.dims<batch, 1>, ingot.name = "ids"}
// CHECK-SAME: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "ingot.past"}
// CHECK-SAME: -> (tensor<?x32xf32> {ingot.dims = #ingot.dims<batch, 32>, ingot.name = "logits"})
// CHECK: %[[E:.*]] = ingot.embedding %{{.*}}, %[[IDS]] : (tensor<32x8xf32>, tensor<?x1xi64>) -> tensor<?x1x8xf32>
// CHECK: %[[ROWS:.*]] = ingot.size <batch>
// CHECK: %[[I:.*]] = tensor.empty(%[[ROWS]]) : tensor<?x1x32xf32>
// CHECK: %[[L:.*]] = ingot.linear ins(%[[E]], %{{.*}}) outs(%[[I]]
// CHECK: ingot.reshape %[[L]] to <batch, 32>
// CHECK: return %{{.*}} : tensor<?x32xf32>
ingot.dim @batch
ingot.dim @seq {min = 1 : i64}
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 1024 length 1024
func.func @all(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
               %past: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "ingot.past"})
    -> (tensor<?x?x32xf32> {ingot.dims = #ingot.dims<batch, seq, 32>, ingot.name = "logits"})
    attributes {ingot.state = {tokens = "ids"}} {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x32xf32>
  %l = ingot.linear ins(%e, %head : tensor<?x?x8xf32>, tensor<8x32xf32>) outs(%init : tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
  return %l : tensor<?x?x32xf32>
}

// -----

// A length that is a number is no choice.
// CHECK-LABEL: func.func @all(
// CHECK-NOT: @decode
func.func @all(%ids: tensor<1x4xi64> {ingot.dims = #ingot.dims<1, 4>, ingot.name = "ids"})
    -> tensor<1x4x1xi64> attributes {ingot.state = {tokens = "ids"}} {
  %0 = ingot.reshape %ids to <1, 4, 1> : (tensor<1x4xi64>) -> tensor<1x4x1xi64>
  return %0 : tensor<1x4x1xi64>
}

// -----

// Nor may one token be read where there must be more.
// CHECK-LABEL: func.func @all(
// CHECK-NOT: @decode
ingot.dim @seq {min = 2 : i64}
func.func @all(%ids: tensor<1x?xi64> {ingot.dims = #ingot.dims<1, seq>, ingot.name = "ids"})
    -> tensor<1x?x1xi64> attributes {ingot.state = {tokens = "ids"}} {
  %0 = ingot.reshape %ids to <1, seq, 1> : (tensor<1x?xi64>) -> tensor<1x?x1xi64>
  return %0 : tensor<1x?x1xi64>
}
