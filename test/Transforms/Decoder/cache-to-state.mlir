// RUN: ingot-opt %s -ingot-cache-to-state -canonicalize -cse | FileCheck %s
// RUN: ingot-opt %s -ingot-cache-to-state=kv-type=f16 | FileCheck %s --check-prefix=HALF
// RUN: ingot-opt %s -ingot-cache-to-state=last-token=false -canonicalize -cse | FileCheck %s --check-prefix=ALL
// RUN: ingot-opt %s -ingot-cache-to-state=all-entry=true -canonicalize -cse | FileCheck %s --check-prefixes=CHECK,ENTRY

// HALF: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f16, window = 5>

// CHECK-NOT: ingot.dim @past
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "ingot.past"},
// CHECK-SAME: %[[COUNT:[a-z0-9]+]]: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "ingot.count"},
// CHECK-SAME: %[[CACHE:[a-z0-9]+]]: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 5>
// CHECK-SAME: ingot.cache_names = {key_input = "pk", key_output = "k", value_input = "pv", value_output = "v"}
// CHECK-SAME: -> (tensor<?x32xf32> {ingot.dims = #ingot.dims<batch, 32>, ingot.name = "logits"})
// CHECK-SAME: ingot.state = {count = "ingot.count", logits = "logits", max_positions = 16 : i64, past = "ingot.past", replaced = ["mask: all ones", "pos: the row's past + the token's number"], tokens = "ids"}

// The last real token of each row, and where it stands.
// CHECK-DAG: %[[LAST:.*]] = ingot.max %{{.*}}, %{{.*}} : (tensor<?xi64>, tensor<i64>)
// CHECK-DAG: %[[LASTPAST:.*]] = ingot.add %[[PAST]], %[[LAST]]
// CHECK-DAG: %[[LASTCOUNT:.*]] = ingot.min %[[COUNT]],
// CHECK-DAG: %[[AT:.*]] = ingot.reshape %[[LAST]] to <batch, 1, 1>
// Positions: past + the token's number, up to the last real token.
// CHECK: ingot.min {{.*}} -> tensor<?x?xi64>
// CHECK: ingot.add
// CHECK: %[[POS:.*]] = ingot.max {{.*}} -> tensor<?x?xi64>
// CHECK: ingot.embedding %{{.*}}, %[[POS]]
// All tokens are appended; what comes after is computed for the last one.
// CHECK: %[[H:.*]] = ingot.reshape %{{.*}} to <batch, seq, 2, 4>
// CHECK: %[[LASTH:.*]] = ingot.gather_nd %[[H]], %[[AT]] {batch_dims = 1 : i64}
// CHECK: %[[Q:.*]] = ingot.neg %[[LASTH]] : (tensor<?x1x2x4xf32>)
// CHECK: ingot.kv_append ins(%[[H]], %[[H]] : {{.*}}) past(%[[PAST]] : {{.*}}) count(%[[COUNT]] : {{.*}}) into(%[[CACHE]] :
// CHECK: %[[A:.*]] = ingot.paged_attention ins(%[[Q]] : {{.*}}) past(%[[LASTPAST]] : {{.*}}) count(%[[LASTCOUNT]] : {{.*}}) cache(%[[CACHE]] : {{.*}} {scale = 5.000000e-01 : f64, window = 5 : i64} -> tensor<?x1x2x4xf32>
// CHECK: %[[M:.*]] = ingot.reshape %[[A]] to <batch, 8>
// CHECK: ingot.linear ins(%[[M]], %{{.*}} : tensor<?x8xf32>, tensor<8x32xf32>)
// CHECK-NOT: ingot.attention

// A further function keeps the logits of all tokens.
// ENTRY-LABEL: func.func @all(
// ENTRY-SAME: %[[CACHE:[a-z0-9]+]]: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 5>
// ENTRY-SAME: -> (tensor<?x?x32xf32> {ingot.dims = #ingot.dims<batch, seq, 32>, ingot.name = "logits"})
// ENTRY-NOT: ingot.gather_nd
// ENTRY: ingot.kv_append {{.*}} into(%[[CACHE]] :
// ENTRY: ingot.paged_attention {{.*}} -> tensor<?x?x2x4xf32>

// ALL: -> (tensor<?x?x32xf32> {ingot.dims = #ingot.dims<batch, seq, 32>, ingot.name = "logits"})
// ALL-NOT: ingot.gather_nd
// ALL: ingot.paged_attention {{.*}} -> tensor<?x?x2x4xf32>
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.weight @wte : tensor<32x8xf32> in "m.onnx" at 0 length 1024
ingot.weight @wpe : tensor<16x8xf32> in "m.onnx" at 1024 length 512
ingot.weight @head : tensor<8x32xf32> in "m.onnx" at 2048 length 1024
func.func @main(%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "ids"},
                %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, past + seq>, ingot.name = "mask"},
                %pos: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>, ingot.name = "pos"},
                %pk: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pk"},
                %pv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "pv"})
    -> (tensor<?x?x32xf32> {ingot.name = "logits"}, tensor<?x2x?x4xf32> {ingot.name = "k"}, tensor<?x2x?x4xf32> {ingot.name = "v"}) {
  %wte = ingot.weight_ref @wte : tensor<32x8xf32>
  %wpe = ingot.weight_ref @wpe : tensor<16x8xf32>
  %head = ingot.weight_ref @head : tensor<8x32xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %e = ingot.embedding %wte, %ids : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
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
