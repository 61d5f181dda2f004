// RUN: ingot-opt %s -ingot-cache-to-state -split-input-file -verify-diagnostics

// Keys and values of an encoder that are causal.
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @enc
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %x: tensor<?x?x2x4xf32> {ingot.dims = #ingot.dims<batch, enc, 2, 4>, ingot.name = "x"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"})
    -> (tensor<?x?x8xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q = ingot.reshape %e to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %kt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention to what does not change depends on positions}}
  %c = ingot.attention ins(%a, %x, %x : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %c to <batch, seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x?x8xf32>
  return %m, %k : tensor<?x?x8xf32>, tensor<?x2x?x4xf32>
}

// -----

// What is added to their scores is given as numbers.
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @enc
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %x: tensor<?x?x2x4xf32> {ingot.dims = #ingot.dims<batch, enc, 2, 4>, ingot.name = "x"},
                %bias: tensor<?x1x1x?xf32> {ingot.dims = #ingot.dims<batch, 1, 1, enc>, ingot.name = "bias"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"})
    -> (tensor<?x?x8xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q = ingot.reshape %e to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %kt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention to what does not change adds a bias that is not a mask}}
  %c = ingot.attention ins(%a, %x, %x : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      bias(%bias : tensor<?x1x1x?xf32>) outs(%init : tensor<?x?x2x4xf32>) {scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %c to <batch, seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x?x8xf32>
  return %m, %k : tensor<?x?x8xf32>, tensor<?x2x?x4xf32>
}

// -----

// Two encoders of lengths of their own.
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @enc
ingot.dim @other
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %x: tensor<?x?x2x4xf32> {ingot.dims = #ingot.dims<batch, enc, 2, 4>, ingot.name = "x"},
                %y: tensor<?x?x2x4xf32> {ingot.dims = #ingot.dims<batch, other, 2, 4>, ingot.name = "y"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"})
    -> (tensor<?x?x8xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q = ingot.reshape %e to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %kt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %b = ingot.attention ins(%a, %x, %x : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention reads keys of other positions that do not change, another one of enc}}
  %c = ingot.attention ins(%b, %y, %y : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %c to <batch, seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x?x8xf32>
  return %m, %k : tensor<?x?x8xf32>, tensor<?x2x?x4xf32>
}

// -----

// Keys for all rows at once.
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @enc
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %x: tensor<1x?x2x4xf32> {ingot.dims = #ingot.dims<1, enc, 2, 4>, ingot.name = "x"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"})
    -> (tensor<?x?x8xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q = ingot.reshape %e to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %kt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %w = tensor.cast %x : tensor<1x?x2x4xf32> to tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention reads keys of enc positions for each of 1 rows, with 2 heads of depth 4, which do not come from inputs of these dims}}
  %c = ingot.attention ins(%a, %w, %w : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %c to <batch, seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x?x8xf32>
  return %m, %k : tensor<?x?x8xf32>, tensor<?x2x?x4xf32>
}

// -----

// A length that is no input's.
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @half
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %x: tensor<?x?x8xf32> {ingot.dims = #ingot.dims<batch, half, 8>, ingot.name = "x"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"})
    -> (tensor<?x?x8xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q = ingot.reshape %e to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %kt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %l = ingot.concat %x, %x {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %w = ingot.reshape %l to <batch, half * 2, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  // expected-error @below {{the cache cannot become state: attention reads keys of half * 2 positions for each of batch rows, with 2 heads of depth 4, which do not come from inputs of these dims}}
  %c = ingot.attention ins(%a, %w, %w : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %c to <batch, seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x?x8xf32>
  return %m, %k : tensor<?x?x8xf32>, tensor<?x2x?x4xf32>
}
