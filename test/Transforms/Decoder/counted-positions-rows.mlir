// RUN: ingot-opt %s -ingot-cache-to-state -canonicalize -cse | FileCheck %s

// Positions that the model counts for every row from the one length of the past
// become the row's own.
// CHECK-NOT: ingot.dim @past
// CHECK-LABEL: func.func @main(
// CHECK-SAME: "counted positions: the row's past + the token's number"
// CHECK: %[[POS:.*]] = ingot.max {{.*}} -> tensor<?x?xi64>
// CHECK: ingot.embedding %{{.*}}, %[[POS]]
// CHECK-NOT: from_dims

ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @wpe : tensor<16x8xf32> in "m.onnx" at 1024 length 512
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 2048 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, past + seq>, ingot.name = "mask"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %wpe = ingot.weight_ref @wpe : tensor<16x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %zero = ingot.constant dense<0> : tensor<i64>
  %one = ingot.constant dense<1> : tensor<i64>
  %begin = ingot.from_dims <past> : tensor<1xi64>
  %begins = ingot.broadcast_to %begin to <batch> : (tensor<1xi64>) -> tensor<?xi64>
  %column = ingot.reshape %begins to <batch, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %numbers = ingot.range %zero, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %pos = ingot.add %column, %numbers : (tensor<?x1xi64>, tensor<?xi64>) -> tensor<?x?xi64>
  %p = ingot.embedding %wpe, %pos : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %x = ingot.add %e, %p : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %h = ingot.reshape %x to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %q = ingot.neg %h : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %h by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %v = ingot.concat %pv, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %vt = ingot.transpose %v by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %seen = ingot.cast %mask {to = i1} : (tensor<?x?xi64>) -> tensor<?x?xi1>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      key_mask(%seen : tensor<?x?xi1>) outs(%init : tensor<?x?x2x4xf32>)
      {causal = true, scale = 0.5 : f64, window = 5 : i64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %a to <batch * seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x8xf32>
  %rows = ingot.size <batch * seq>
  %li = tensor.empty(%rows) : tensor<?x32xf32>
  %l = ingot.linear ins(%m, %head : tensor<?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x32xf32>) -> tensor<?x32xf32>
  %logits = ingot.reshape %l to <batch, seq, 32> : (tensor<?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}
