// RUN: ingot-opt %s -ingot-cache-to-state -canonicalize -cse -split-input-file | FileCheck %s
// RUN: ingot-opt %s -ingot-cache-to-state -ingot-place-caches -split-input-file | FileCheck %s --check-prefix=PLACE

// Keys and values that come from the encoder alone are computed by a function of
// its own; the decoder reads them from a cache that no token extends.

// PLACE: module attributes {ingot.cache_groups = [{page_bytes = 8192 : i64, window = 0 : i64}, {bound, page_bytes = 8192 : i64, window = 0 : i64}]}

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<?x?xi64> {{{.*}}ingot.name = "ids"},
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: tensor<?xi64> {{{.*}}ingot.name = "ingot.past"},
// CHECK-SAME: %[[COUNT:[a-z0-9]+]]: tensor<?xi64> {{{.*}}ingot.name = "ingot.count"},
// CHECK-SAME: %[[BOUND:[a-z0-9]+]]: tensor<?xi64> {{{.*}}ingot.name = "ingot.bound"},
// CHECK-SAME: %[[SELF:[a-z0-9]+]]: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 0>
// CHECK-SAME: %[[CROSS:[a-z0-9]+]]: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 0, bound = true> {ingot.cache_names = {key_input = "states", key_output = "", value_input = "states", value_output = ""}
// CHECK-SAME: ingot.state = {bound = "ingot.bound", bound_length = #ingot.dims<enc>,
// CHECK-SAME: replaced = ["encoder_mask: all ones", "same: is not given, no token changes it"]
// CHECK: ingot.kv_append {{.*}} into(%[[SELF]] :
// CHECK: ingot.paged_attention {{.*}} past(%{{.*}} : {{.*}}) count(%[[LASTCOUNT:.*]] : tensor<?xi64>) cache(%[[SELF]] :
// The length is the same for every token.
// CHECK: ingot.paged_attention {{.*}} past(%[[BOUND]] : {{.*}}) count(%[[LASTCOUNT]] : {{.*}}) cache(%[[CROSS]] :
// CHECK-NOT: states

// CHECK-LABEL: func.func @bind(
// CHECK-SAME: %[[STATES:[a-z0-9]+]]: tensor<?x?x8xf32> {ingot.dims = #ingot.dims<batch, enc, 8>, ingot.name = "states"},
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "ingot.past"},
// CHECK-SAME: %[[COUNT:[a-z0-9]+]]: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "ingot.count"},
// CHECK-SAME: ingot.name = "ingot.cache.0"}, %[[CROSS:[a-z0-9]+]]: !ingot.cache<{{.*}}, bound = true>
// CHECK: %[[K:.*]] = ingot.reshape %[[STATES]] to <batch, enc, 2, 4>
// CHECK: %[[V:.*]] = ingot.neg %[[K]]
// CHECK: ingot.kv_append ins(%[[K]], %[[V]] : {{.*}}) past(%[[PAST]] : {{.*}}) count(%[[COUNT]] : {{.*}}) into(%[[CROSS]] :
// CHECK-NEXT: return
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @enc
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 1024 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %states: tensor<?x?x8xf32> {ingot.dims = #ingot.dims<batch, enc, 8>, ingot.name = "states"},
                %emask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, enc>, ingot.name = "encoder_mask"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"},
        tensor<?x?x8xf32> {ingot.name = "same"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q = ingot.reshape %e to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %t = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %v = ingot.concat %pv, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %vt = ingot.transpose %v by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %init = tensor.empty(%batch, %seq) : tensor<?x?x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      outs(%init : tensor<?x?x2x4xf32>) {causal = true, scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %ck = ingot.reshape %states to <batch, enc, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
  %cv = ingot.neg %ck : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  %seen = ingot.cast %emask {to = i1} : (tensor<?x?xi64>) -> tensor<?x?xi1>
  %c = ingot.attention ins(%a, %ck, %cv : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      key_mask(%seen : tensor<?x?xi1>) outs(%init : tensor<?x?x2x4xf32>) {scale = 0.5 : f64} -> tensor<?x?x2x4xf32>
  %m = ingot.reshape %c to <batch, seq, 8> : (tensor<?x?x2x4xf32>) -> tensor<?x?x8xf32>
  %li = tensor.empty(%batch, %seq) : tensor<?x?x32xf32>
  %logits = ingot.linear ins(%m, %head : tensor<?x?x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
  return %logits, %k, %v, %states : tensor<?x?x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?x8xf32>
}

// -----

// One new token at a time: attention without a mask sees what a causal one does,
// and the last token needs no choosing. A bias of the scores that a table has by
// distance is one of the distances, however it is computed: here of the buckets
// min(distance, 2).

// CHECK-LABEL: func.func @main(
// CHECK-SAME: ingot.state = {{.*}}max_positions = 65536 : i64
// CHECK-DAG: %[[ROWS:.*]] = ingot.constant dense<[0, 1, 2]> : tensor<3xi64>
// CHECK-DAG: %[[TABLE:.*]] = ingot.weight_ref @table
// CHECK: %[[CHOSEN:.*]] = ingot.embedding %[[TABLE]], %[[ROWS]]
// CHECK: %[[BIAS:.*]] = ingot.transpose %[[CHOSEN]] by [1, 0]
// CHECK: ingot.paged_attention {{.*}} bias(%[[BIAS]] : tensor<2x3xf32>)
// CHECK-NOT: ingot.gather_nd
// CHECK-NOT: func.func
ingot.dim @batch
ingot.dim @past
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @table : tensor<3x2xf32> in "m.onnx" at 1024 length 24
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 1048 length 1024
func.func @main(%ids: tensor<?x1xi64> {ingot.dims = #ingot.dims<batch, 1>, ingot.name = "ids"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x1x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %table = ingot.weight_ref @table : tensor<3x2xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %zero = ingot.constant dense<0> : tensor<i64>
  %one = ingot.constant dense<1> : tensor<i64>
  %two = ingot.constant dense<2> : tensor<i64>
  %batch = ingot.size <batch>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x1xi64>) -> tensor<?x1x8xf32>
  %q = ingot.reshape %e to <batch, 1, 2, 4> : (tensor<?x1x8xf32>) -> tensor<?x1x2x4xf32>
  %t = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x1x2x4xf32>) -> tensor<?x2x1x4xf32>
  %k = ingot.concat %pk, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x1x4xf32>) -> tensor<?x2x?x4xf32>
  %v = ingot.concat %pv, %t {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x1x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = ingot.transpose %k by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %vt = ingot.transpose %v by [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %length = ingot.from_dims <past> : tensor<i64>
  %keys = ingot.range %zero, %one size <past + 1> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %distance = ingot.sub %length, %keys : (tensor<i64>, tensor<?xi64>) -> tensor<?xi64>
  %bucket = ingot.min %distance, %two : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %b0 = ingot.embedding %table, %bucket : (tensor<3x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %b1 = ingot.transpose %b0 by [1, 0] : (tensor<?x2xf32>) -> tensor<2x?xf32>
  %bias = ingot.reshape %b1 to <1, 2, 1, past + 1> : (tensor<2x?xf32>) -> tensor<1x2x1x?xf32>
  %init = tensor.empty(%batch) : tensor<?x1x2x4xf32>
  %a = ingot.attention ins(%q, %kt, %vt : tensor<?x1x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
      bias(%bias : tensor<1x2x1x?xf32>) outs(%init : tensor<?x1x2x4xf32>) {scale = 0.5 : f64} -> tensor<?x1x2x4xf32>
  %m = ingot.reshape %a to <batch, 1, 8> : (tensor<?x1x2x4xf32>) -> tensor<?x1x8xf32>
  %li = tensor.empty(%batch) : tensor<?x1x32xf32>
  %logits = ingot.linear ins(%m, %head : tensor<?x1x8xf32>, tensor<8x32xf32>) outs(%li : tensor<?x1x32xf32>) -> tensor<?x1x32xf32>
  return %logits, %k, %v : tensor<?x1x32xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}
