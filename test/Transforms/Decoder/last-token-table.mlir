// RUN: ingot-opt %s -ingot-cache-to-state -canonicalize -cse | FileCheck %s

// The rows that are cut from a table are not computed from tokens: what is added
// to them is computed for all tokens, and the last one's sum is chosen.
// CHECK-LABEL: func.func @main(
// CHECK: %[[P:.*]] = ingot.slice
// CHECK: ingot.add %{{.*}}, %[[P]] : (tensor<?x?x8xf32>, tensor<?x8xf32>)
// CHECK: ingot.gather_nd
// CHECK: ingot.linear {{.*}} outs(%{{.*}} : tensor<?x32xf32>)

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
  %h = ingot.reshape %e to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
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
  %b = ingot.reshape %a to <batch, seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x?x8xf32>
  %p = ingot.slice %wpe from <0, 0> size <seq, 8> step [1, 1] : (tensor<16x8xf32>) -> tensor<?x8xf32>
  %c = ingot.add %b, %p : (tensor<?x?x8xf32>, tensor<?x8xf32>) -> tensor<?x?x8xf32>
  %m = ingot.reshape %c to <batch * seq, 8> : (tensor<?x?x8xf32>) -> tensor<?x8xf32>
  %rows = ingot.size <batch * seq>
  %li = tensor.empty(%rows) : tensor<?x32xf32>
  %l = ingot.linear ins(%m, %head : tensor<?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x32xf32>) -> tensor<?x32xf32>
  %logits = ingot.reshape %l to <batch, seq, 32> : (tensor<?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}
