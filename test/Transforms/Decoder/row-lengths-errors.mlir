// RUN: ingot-opt %s -ingot-cache-to-state -split-input-file -verify-diagnostics

ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @total
ingot.dim @depth
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @wpe : tensor<16x8xf32> in "m.onnx" at 1024 length 512
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 2048 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, total>, ingot.name = "mask"},
                %pk: tensor<?x2x?x?xf32> {ingot.dims = #ingot.dims<batch, 2, past, depth>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %wpe = ingot.weight_ref @wpe : tensor<16x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %one = ingot.constant dense<1> : tensor<1xi64>
  %zero = ingot.constant dense<0> : tensor<i64>
  %step = ingot.constant dense<1> : tensor<i64>
  %sum = ingot.reduce <sum> %mask axes [1] {keepdims = true} : (tensor<?x?xi64>) -> tensor<?x1xi64>
  %last = ingot.sub %sum, %one : (tensor<?x1xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %last32 = ingot.cast %last {to = i32} : (tensor<?x1xi64>) -> tensor<?x1xi32>
  %last64 = ingot.cast %last32 {to = i64} : (tensor<?x1xi32>) -> tensor<?x1xi64>
  %lastv = ingot.reshape %last64 to <batch> : (tensor<?x1xi64>) -> tensor<?xi64>
  %before = ingot.from_dims <seq> : tensor<i64>
  %begin = ingot.sub %lastv, %before : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %at = ingot.max %begin, %zero : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %iota = ingot.range %zero, %step size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %column = ingot.reshape %at to <batch, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %line = ingot.reshape %iota to <1, seq> : (tensor<?xi64>) -> tensor<1x?xi64>
  %pos = ingot.add %column, %line : (tensor<?x1xi64>, tensor<1x?xi64>) -> tensor<?x?xi64>
  %p = ingot.embedding %wpe, %pos : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %x = ingot.add %e, %p : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %h = ingot.reshape %x to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %q = ingot.neg %h : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %h by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %pkr = ingot.reshape %pk to <batch, 2, past, 4> : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x4xf32>
  %pkp = ingot.pad %pkr {low = #ingot.dims<0, 0, 0, 0>, high = #ingot.dims<0, 0, max(past, total) - past, 0>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  // expected-error @below {{the cache cannot become state: how many positions of input 'pk' each row has is neither counted by a mask nor an input of last positions}}
  %k = ingot.write_rows %pkp, %t, %at {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x?x4xf32>
  %v = ingot.write_rows %pv, %t, %at {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %vt = ingot.transpose %v by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      past(%at : tensor<?xi64>) outs(%init : tensor<?x?x2x4xf32>)
      {causal = true, scale = 0.5 : f64, window = 5 : i64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %a to <batch * seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x8xf32>
  %rows = ingot.size <batch * seq>
  %li = tensor.empty(%rows) : tensor<?x32xf32>
  %l = ingot.linear ins(%m, %head : tensor<?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x32xf32>) -> tensor<?x32xf32>
  %logits = ingot.reshape %l to <batch, seq, 32> : (tensor<?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}

// -----

ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @total
ingot.dim @depth
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @wpe : tensor<16x8xf32> in "m.onnx" at 1024 length 512
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 2048 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, total>, ingot.name = "mask"},
                %pk: tensor<?x2x?x?xf32> {ingot.dims = #ingot.dims<batch, 2, past, depth>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %wpe = ingot.weight_ref @wpe : tensor<16x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %one = ingot.constant dense<1> : tensor<1xi64>
  %zero = ingot.constant dense<0> : tensor<i64>
  %step = ingot.constant dense<1> : tensor<i64>
  %sum = ingot.reduce <sum> %mask axes [1] {keepdims = true} : (tensor<?x?xi64>) -> tensor<?x1xi64>
  %last = ingot.sub %sum, %one : (tensor<?x1xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %last32 = ingot.cast %last {to = i32} : (tensor<?x1xi64>) -> tensor<?x1xi32>
  %last64 = ingot.cast %last32 {to = i64} : (tensor<?x1xi32>) -> tensor<?x1xi64>
  %lastv = ingot.reshape %last64 to <batch> : (tensor<?x1xi64>) -> tensor<?xi64>
  %before = ingot.from_dims <seq - 1> : tensor<i64>
  %begin = ingot.sub %lastv, %before : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %at = ingot.max %begin, %zero : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %iota = ingot.range %zero, %step size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %column = ingot.reshape %at to <batch, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %line = ingot.reshape %iota to <1, seq> : (tensor<?xi64>) -> tensor<1x?xi64>
  %pos = ingot.add %column, %line : (tensor<?x1xi64>, tensor<1x?xi64>) -> tensor<?x?xi64>
  %p = ingot.embedding %wpe, %pos : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %x = ingot.add %e, %p : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %h = ingot.reshape %x to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %q = ingot.neg %h : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %h by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %pkr = ingot.reshape %pk to <batch, 2, past, 4> : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x4xf32>
  %pkp = ingot.pad %pkr {low = #ingot.dims<0, 0, 0, 0>, high = #ingot.dims<0, 0, max(past, total) - past, 0>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.write_rows %pkp, %t, %at {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x?x4xf32>
  %v = ingot.write_rows %pv, %t, %at {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %vt = ingot.transpose %v by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention does not begin where new keys are written}}
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      past(%lastv : tensor<?xi64>) outs(%init : tensor<?x?x2x4xf32>)
      {causal = true, scale = 0.5 : f64, window = 5 : i64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %a to <batch * seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x8xf32>
  %rows = ingot.size <batch * seq>
  %li = tensor.empty(%rows) : tensor<?x32xf32>
  %l = ingot.linear ins(%m, %head : tensor<?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x32xf32>) -> tensor<?x32xf32>
  %logits = ingot.reshape %l to <batch, seq, 32> : (tensor<?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}

// -----

ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @total
ingot.dim @depth
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @wpe : tensor<16x8xf32> in "m.onnx" at 1024 length 512
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 2048 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, total>, ingot.name = "mask"},
                %pk: tensor<?x2x?x?xf32> {ingot.dims = #ingot.dims<batch, 2, past, depth>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %wpe = ingot.weight_ref @wpe : tensor<16x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %one = ingot.constant dense<1> : tensor<1xi64>
  %zero = ingot.constant dense<0> : tensor<i64>
  %step = ingot.constant dense<1> : tensor<i64>
  %sum = ingot.reduce <sum> %mask axes [1] {keepdims = true} : (tensor<?x?xi64>) -> tensor<?x1xi64>
  %last = ingot.sub %sum, %one : (tensor<?x1xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %last32 = ingot.cast %last {to = i32} : (tensor<?x1xi64>) -> tensor<?x1xi32>
  %last64 = ingot.cast %last32 {to = i64} : (tensor<?x1xi32>) -> tensor<?x1xi64>
  %lastv = ingot.reshape %last64 to <batch> : (tensor<?x1xi64>) -> tensor<?xi64>
  %before = ingot.from_dims <seq - 1> : tensor<i64>
  %begin = ingot.sub %lastv, %before : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %at = ingot.max %begin, %zero : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %iota = ingot.range %zero, %step size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %column = ingot.reshape %at to <batch, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %line = ingot.reshape %iota to <1, seq> : (tensor<?xi64>) -> tensor<1x?xi64>
  %pos = ingot.add %column, %line : (tensor<?x1xi64>, tensor<1x?xi64>) -> tensor<?x?xi64>
  %p = ingot.embedding %wpe, %pos : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %x = ingot.add %e, %p : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %h = ingot.reshape %x to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %q = ingot.neg %h : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %h by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %pkr = ingot.reshape %pk to <batch, 2, past, 4> : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x4xf32>
  %pkp = ingot.pad %pkr {low = #ingot.dims<0, 0, 0, 0>, high = #ingot.dims<0, 0, max(past, total) - past, 0>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.write_rows %pkp, %t, %at {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x?x4xf32>
  // expected-error @below {{the cache cannot become state: input 'pv' is extended at other positions than the others}}
  %v = ingot.write_rows %pv, %t, %lastv {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %vt = ingot.transpose %v by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      past(%at : tensor<?xi64>) outs(%init : tensor<?x?x2x4xf32>)
      {causal = true, scale = 0.5 : f64, window = 5 : i64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %a to <batch * seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x8xf32>
  %rows = ingot.size <batch * seq>
  %li = tensor.empty(%rows) : tensor<?x32xf32>
  %l = ingot.linear ins(%m, %head : tensor<?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x32xf32>) -> tensor<?x32xf32>
  %logits = ingot.reshape %l to <batch, seq, 32> : (tensor<?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}
