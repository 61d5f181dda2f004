// RUN: ingot-opt %s --ingot-reduce-masks | FileCheck %s

ingot.dim @batch
ingot.dim @seq
ingot.dim @past

// Causal with a past, and keys that are padding, in one tensor.
// CHECK-LABEL: @causal_and_padding
// CHECK: %[[P:.*]] = ingot.cast %arg3 {to = i1}
// CHECK: ingot.attention
// CHECK-SAME: key_mask(%[[P]] :
// CHECK-NOT: bias
// CHECK-SAME: causal = true
// CHECK-SAME: dead_row = #ingot.dead_row<uniform>
func.func @causal_and_padding(
    %q: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, seq, 6, 16>},
    %k: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, past + seq, 6, 16>},
    %o: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, seq, 6, 16>},
    %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, past + seq>}) -> tensor<?x?x6x16xf32> {
  %zero = ingot.constant dense<0> : tensor<i64>
  %one = ingot.constant dense<1> : tensor<i64>
  %none = ingot.constant dense<0.0> : tensor<f32>
  %lowest = ingot.constant dense<-3.40282347E+38> : tensor<f32>
  %new = ingot.range %zero, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = ingot.range %zero, %one size <past + seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %past = ingot.from_dims <past> : tensor<i64>
  %queries = ingot.add %new, %past : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %r = ingot.reshape %queries to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %c = ingot.reshape %keys to <1, 1, 1, past + seq> : (tensor<?xi64>) -> tensor<1x1x1x?xi64>
  %causal = ingot.less_equal %c, %r : (tensor<1x1x1x?xi64>, tensor<1x1x?x1xi64>) -> tensor<1x1x?x?xi1>
  %m = ingot.cast %mask {to = i1} : (tensor<?x?xi64>) -> tensor<?x?xi1>
  %m4 = ingot.reshape %m to <batch, 1, 1, past + seq> : (tensor<?x?xi1>) -> tensor<?x1x1x?xi1>
  %both = ingot.and %causal, %m4 : (tensor<1x1x?x?xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
  %bias = ingot.where %both, %none, %lowest : (tensor<?x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x?x?xf32>
  %y = ingot.attention ins(%q, %k, %k : tensor<?x?x6x16xf32>, tensor<?x?x6x16xf32>, tensor<?x?x6x16xf32>)
    bias(%bias : tensor<?x1x?x?xf32>) outs(%o : tensor<?x?x6x16xf32>) {scale = 0.25 : f64} -> tensor<?x?x6x16xf32>
  return %y : tensor<?x?x6x16xf32>
}

// A fill that does not drown the scores stays a bias.
// CHECK-LABEL: @mild
// CHECK: ingot.attention
// CHECK-SAME: bias(
func.func @mild(
    %q: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, seq, 6, 16>},
    %o: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, seq, 6, 16>},
    %mask: tensor<?x1x1x?xi1> {ingot.dims = #ingot.dims<batch, 1, 1, seq>}) -> tensor<?x?x6x16xf32> {
  %none = ingot.constant dense<0.0> : tensor<f32>
  %low = ingot.constant dense<-10.0> : tensor<f32>
  %bias = ingot.where %mask, %none, %low : (tensor<?x1x1x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %y = ingot.attention ins(%q, %q, %q : tensor<?x?x6x16xf32>, tensor<?x?x6x16xf32>, tensor<?x?x6x16xf32>)
    bias(%bias : tensor<?x1x1x?xf32>) outs(%o : tensor<?x?x6x16xf32>) {scale = 0.25 : f64} -> tensor<?x?x6x16xf32>
  return %y : tensor<?x?x6x16xf32>
}
