// RUN: ingot-opt %s --ingot-reduce-masks -split-input-file | FileCheck %s

// Positions of queries that begin at the length of a past, beside keys of
// another extent, whose numbers are a constant; that keys end where the last
// query does says nothing more.
// CHECK-LABEL: @offset
// CHECK-NOT: bias
// CHECK: %[[PAST:.*]] = ingot.size <past>
// CHECK: ingot.attention
// CHECK-SAME: offset(%[[PAST]])
// CHECK-SAME: causal = true
ingot.dim @seq
ingot.dim @past
func.func @offset(%q: tensor<2x?x6x16xf32> {ingot.dims = #ingot.dims<2, seq, 6, 16>}, %k: tensor<2x5x6x16xf32>, %v: tensor<2x5x6x16xf32>, %p: tensor<?xf32> {ingot.dims = #ingot.dims<past>}) -> tensor<2x?x6x16xf32> {
  %none = ingot.constant dense<0.0> : tensor<f32>
  %hide = ingot.constant dense<0xFF800000> : tensor<f32>
  %one = ingot.constant dense<1> : tensor<i64>
  %begin = ingot.from_dims <past> : tensor<i64>
  %end = ingot.from_dims <past + seq> : tensor<i64>
  %keys = ingot.constant dense<[0, 1, 2, 3, 4]> : tensor<5xi64>
  %places = ingot.range %begin, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %column = ingot.reshape %places to <seq, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %causal = ingot.less_equal %keys, %column : (tensor<5xi64>, tensor<?x1xi64>) -> tensor<?x5xi1>
  %there = ingot.less %keys, %end : (tensor<5xi64>, tensor<i64>) -> tensor<5xi1>
  %seen = ingot.and %there, %causal : (tensor<5xi1>, tensor<?x5xi1>) -> tensor<?x5xi1>
  %mask = ingot.where %seen, %none, %hide : (tensor<?x5xi1>, tensor<f32>, tensor<f32>) -> tensor<?x5xf32>
  %bias = ingot.reshape %mask to <1, 1, seq, 5> : (tensor<?x5xf32>) -> tensor<1x1x?x5xf32>
  %s = ingot.size <seq>
  %init = tensor.empty(%s) : tensor<2x?x6x16xf32>
  %a = ingot.attention ins(%q, %k, %v : tensor<2x?x6x16xf32>, tensor<2x5x6x16xf32>, tensor<2x5x6x16xf32>)
      bias(%bias : tensor<1x1x?x5xf32>) outs(%init : tensor<2x?x6x16xf32>) {scale = 0.25 : f64} -> tensor<2x?x6x16xf32>
  return %a : tensor<2x?x6x16xf32>
}

// -----

// Keys that end before the last query's position are not all seen.
// CHECK-LABEL: @earlier_end
// CHECK: ingot.attention
// CHECK-SAME: bias
ingot.dim @seq
ingot.dim @past
func.func @earlier_end(%q: tensor<2x?x6x16xf32> {ingot.dims = #ingot.dims<2, seq, 6, 16>}, %k: tensor<2x5x6x16xf32>, %v: tensor<2x5x6x16xf32>, %p: tensor<?xf32> {ingot.dims = #ingot.dims<past>}) -> tensor<2x?x6x16xf32> {
  %none = ingot.constant dense<0.0> : tensor<f32>
  %hide = ingot.constant dense<0xFF800000> : tensor<f32>
  %one = ingot.constant dense<1> : tensor<i64>
  %begin = ingot.from_dims <past> : tensor<i64>
  %end = ingot.from_dims <past + seq - 1> : tensor<i64>
  %keys = ingot.constant dense<[0, 1, 2, 3, 4]> : tensor<5xi64>
  %places = ingot.range %begin, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %column = ingot.reshape %places to <seq, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %causal = ingot.less_equal %keys, %column : (tensor<5xi64>, tensor<?x1xi64>) -> tensor<?x5xi1>
  %there = ingot.less %keys, %end : (tensor<5xi64>, tensor<i64>) -> tensor<5xi1>
  %seen = ingot.and %there, %causal : (tensor<5xi1>, tensor<?x5xi1>) -> tensor<?x5xi1>
  %mask = ingot.where %seen, %none, %hide : (tensor<?x5xi1>, tensor<f32>, tensor<f32>) -> tensor<?x5xf32>
  %bias = ingot.reshape %mask to <1, 1, seq, 5> : (tensor<?x5xf32>) -> tensor<1x1x?x5xf32>
  %s = ingot.size <seq>
  %init = tensor.empty(%s) : tensor<2x?x6x16xf32>
  %a = ingot.attention ins(%q, %k, %v : tensor<2x?x6x16xf32>, tensor<2x5x6x16xf32>, tensor<2x5x6x16xf32>)
      bias(%bias : tensor<1x1x?x5xf32>) outs(%init : tensor<2x?x6x16xf32>) {scale = 0.25 : f64} -> tensor<2x?x6x16xf32>
  return %a : tensor<2x?x6x16xf32>
}

// -----

// A triangle of a number times where keys lie behind the query; the diagonal is
// implied.
// CHECK-LABEL: @product
// CHECK-NOT: bias
// CHECK: %[[PAST:.*]] = ingot.size <past>
// CHECK: ingot.attention
// CHECK-SAME: offset(%[[PAST]])
// CHECK-SAME: causal = true
ingot.dim @seq
ingot.dim @past
func.func @product(%q: tensor<2x?x6x16xf32> {ingot.dims = #ingot.dims<2, seq, 6, 16>}, %k: tensor<2x5x6x16xf32>, %v: tensor<2x5x6x16xf32>, %p: tensor<?xf32> {ingot.dims = #ingot.dims<past>}) -> tensor<2x?x6x16xf32> {
  %lowest = ingot.constant dense<-3.40282347E+38> : tensor<f32>
  %one = ingot.constant dense<1> : tensor<i64>
  %begin = ingot.from_dims <past> : tensor<i64>
  %keys = ingot.constant dense<[0, 1, 2, 3, 4]> : tensor<5xi64>
  %places = ingot.range %begin, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %column = ingot.reshape %places to <seq, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %behind = ingot.greater %keys, %column : (tensor<5xi64>, tensor<?x1xi64>) -> tensor<?x5xi1>
  %factor = ingot.cast %behind {to = f32} : (tensor<?x5xi1>) -> tensor<?x5xf32>
  %full = ingot.broadcast_to %lowest to <seq, 5> : (tensor<f32>) -> tensor<?x5xf32>
  %above = ingot.trilu %full, %one {upper = true} : (tensor<?x5xf32>, tensor<i64>) -> tensor<?x5xf32>
  %mask = ingot.mul %above, %factor : (tensor<?x5xf32>, tensor<?x5xf32>) -> tensor<?x5xf32>
  %bias = ingot.reshape %mask to <1, 1, seq, 5> : (tensor<?x5xf32>) -> tensor<1x1x?x5xf32>
  %s = ingot.size <seq>
  %init = tensor.empty(%s) : tensor<2x?x6x16xf32>
  %a = ingot.attention ins(%q, %k, %v : tensor<2x?x6x16xf32>, tensor<2x5x6x16xf32>, tensor<2x5x6x16xf32>)
      bias(%bias : tensor<1x1x?x5xf32>) outs(%init : tensor<2x?x6x16xf32>) {scale = 0.25 : f64} -> tensor<2x?x6x16xf32>
  return %a : tensor<2x?x6x16xf32>
}
