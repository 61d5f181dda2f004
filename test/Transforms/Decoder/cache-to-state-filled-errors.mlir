// RUN: ingot-opt %s -ingot-cache-to-state -split-input-file -verify-diagnostics

// Without an offset queries see as far as the filled up end.
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @wpe : tensor<16x8xf32> in "m.onnx" at 1024 length 512
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 2048 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %mask: tensor<?x12xi64> {ingot.dims = #ingot.dims<batch, 12>, ingot.name = "mask"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %wpe = ingot.weight_ref @wpe : tensor<16x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %one = ingot.constant dense<1> : tensor<i64>
  %begin = ingot.from_dims <past> : tensor<i64>
  %pos = ingot.range %begin, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %p = ingot.embedding %wpe, %pos : (tensor<16x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  %u = ingot.reshape %pos to <1, seq, 1> : (tensor<?xi64>) -> tensor<1x?x1xi64>
  %f = ingot.cast %u {to = f32} : (tensor<1x?x1xi64>) -> tensor<1x?x1xf32>
  %cos = ingot.cos %f : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %ep = ingot.add %e, %p : (tensor<?x?x8xf32>, tensor<?x8xf32>) -> tensor<?x?x8xf32>
  %x = ingot.mul %ep, %cos : (tensor<?x?x8xf32>, tensor<1x?x1xf32>) -> tensor<?x?x8xf32>
  %h = ingot.reshape %x to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %q = ingot.neg %h : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %h by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %v = ingot.concat %pv, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kp = ingot.pad %k {low = #ingot.dims<0, 0, 0, 0>, high = #ingot.dims<0, 0, 12 - past - seq, 0>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x12x4xf32>
  %vp = ingot.pad %v {low = #ingot.dims<0, 0, 0, 0>, high = #ingot.dims<0, 0, 12 - past - seq, 0>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x12x4xf32>
  %kt = ingot.transpose %kp by [0, 2, 1, 3] : (tensor<?x2x12x4xf32>) -> tensor<?x12x2x4xf32>
  %vt = ingot.transpose %vp by [0, 2, 1, 3] : (tensor<?x2x12x4xf32>) -> tensor<?x12x2x4xf32>
  %length = ingot.size <past>
  %seen = ingot.cast %mask {to = i1} : (tensor<?x12xi64>) -> tensor<?x12xi1>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention is not causal from the end of the past on}}
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x?x2x4xf32>, tensor<?x12x2x4xf32>, tensor<?x12x2x4xf32>)
      key_mask(%seen : tensor<?x12xi1>) outs(%init : tensor<?x?x2x4xf32>)
      {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %a to <batch * seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x8xf32>
  %rows = ingot.size <batch * seq>
  %li = tensor.empty(%rows) : tensor<?x32xf32>
  %l = ingot.linear ins(%m, %head : tensor<?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x32xf32>) -> tensor<?x32xf32>
  %logits = ingot.reshape %l to <batch, seq, 32> : (tensor<?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}

// -----

// What is filled up before the first position moves the others.
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @wpe : tensor<16x8xf32> in "m.onnx" at 1024 length 512
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 2048 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %mask: tensor<?x12xi64> {ingot.dims = #ingot.dims<batch, 12>, ingot.name = "mask"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %wpe = ingot.weight_ref @wpe : tensor<16x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %one = ingot.constant dense<1> : tensor<i64>
  %begin = ingot.from_dims <past> : tensor<i64>
  %pos = ingot.range %begin, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %p = ingot.embedding %wpe, %pos : (tensor<16x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  %u = ingot.reshape %pos to <1, seq, 1> : (tensor<?xi64>) -> tensor<1x?x1xi64>
  %f = ingot.cast %u {to = f32} : (tensor<1x?x1xi64>) -> tensor<1x?x1xf32>
  %cos = ingot.cos %f : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %ep = ingot.add %e, %p : (tensor<?x?x8xf32>, tensor<?x8xf32>) -> tensor<?x?x8xf32>
  %x = ingot.mul %ep, %cos : (tensor<?x?x8xf32>, tensor<1x?x1xf32>) -> tensor<?x?x8xf32>
  %h = ingot.reshape %x to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %q = ingot.neg %h : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %h by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %v = ingot.concat %pv, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kp = ingot.pad %k {low = #ingot.dims<0, 0, 0, 0>, high = #ingot.dims<0, 0, 12 - past - seq, 0>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x12x4xf32>
  %vp = ingot.pad %v {low = #ingot.dims<0, 0, 12 - past - seq, 0>, high = #ingot.dims<0, 0, 0, 0>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x12x4xf32>
  %kt = ingot.transpose %kp by [0, 2, 1, 3] : (tensor<?x2x12x4xf32>) -> tensor<?x12x2x4xf32>
  %vt = ingot.transpose %vp by [0, 2, 1, 3] : (tensor<?x2x12x4xf32>) -> tensor<?x12x2x4xf32>
  %length = ingot.size <past>
  %seen = ingot.cast %mask {to = i1} : (tensor<?x12xi64>) -> tensor<?x12xi1>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention reads values that are not kept: they are no input with the new ones appended}}
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x?x2x4xf32>, tensor<?x12x2x4xf32>, tensor<?x12x2x4xf32>)
      key_mask(%seen : tensor<?x12xi1>) offset(%length) outs(%init : tensor<?x?x2x4xf32>)
      {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %a to <batch * seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x8xf32>
  %rows = ingot.size <batch * seq>
  %li = tensor.empty(%rows) : tensor<?x32xf32>
  %l = ingot.linear ins(%m, %head : tensor<?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x32xf32>) -> tensor<?x32xf32>
  %logits = ingot.reshape %l to <batch, seq, 32> : (tensor<?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}
