// RUN: ingot-opt %s --ingot-recognize-attention --canonicalize | FileCheck %s

ingot.dim @batch
ingot.dim @seq

// Scales on both operands, a mask from positions and a gather, a guard.
// CHECK-LABEL: @padded
// CHECK-SAME: %[[Q:[^:]*]]: tensor<?x?x6x16xf32> {{.*}}, %[[K:[^:]*]]: tensor<?x?x6x16xf32> {{.*}}, %[[V:[^:]*]]: tensor<?x?x6x16xf32> {{.*}}, %[[M:[^:]*]]: tensor<?x?xi64>
// CHECK: %[[P:.*]] = ingot.cast %[[M]] {to = i1}
// CHECK: %[[Y:.*]] = ingot.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-SAME: key_mask(%[[P]] : tensor<?x?xi1>)
// CHECK-SAME: scale = 2.5{{[0-9]*}}e-01
// CHECK-NOT: ingot.transpose
// CHECK: return %[[Y]]
func.func @padded(%q: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, seq, 6, 16>},
                  %k: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, seq, 6, 16>},
                  %v: tensor<?x?x6x16xf32> {ingot.dims = #ingot.dims<batch, seq, 6, 16>},
                  %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>}) -> tensor<?x?x6x16xf32> {
  %zero = ingot.constant dense<0> : tensor<i64>
  %one = ingot.constant dense<1> : tensor<i64>
  %half = ingot.constant dense<0.5> : tensor<f32>
  %none = ingot.constant dense<0.0> : tensor<f32>
  %lowest = ingot.constant dense<0xFF800000> : tensor<f32>
  %m = ingot.cast %mask {to = i1} : (tensor<?x?xi64>) -> tensor<?x?xi1>
  %rows = ingot.range %zero, %one size <batch> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = ingot.range %zero, %one size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %r = ingot.reshape %rows to <batch, 1, 1, 1> : (tensor<?xi64>) -> tensor<?x1x1x1xi64>
  %c = ingot.reshape %keys to <1, 1, 1, seq> : (tensor<?xi64>) -> tensor<1x1x1x?xi64>
  %queries = ingot.reshape %keys to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %always = ingot.greater_equal %queries, %zero : (tensor<1x1x?x1xi64>, tensor<i64>) -> tensor<1x1x?x1xi1>
  %rb = ingot.broadcast_to %r to <batch, 1, 1, seq> : (tensor<?x1x1x1xi64>) -> tensor<?x1x1x?xi64>
  %cb = ingot.broadcast_to %c to <batch, 1, 1, seq> : (tensor<1x1x1x?xi64>) -> tensor<?x1x1x?xi64>
  %r1 = ingot.reshape %rb to <batch, 1, 1, seq, 1> : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?x1xi64>
  %c1 = ingot.reshape %cb to <batch, 1, 1, seq, 1> : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?x1xi64>
  %at = ingot.concat %r1, %c1 {axis = 4 : i64} : (tensor<?x1x1x?x1xi64>, tensor<?x1x1x?x1xi64>) -> tensor<?x1x1x?x2xi64>
  %pad = ingot.gather_nd %m, %at : (tensor<?x?xi1>, tensor<?x1x1x?x2xi64>) -> tensor<?x1x1x?xi1>
  %both = ingot.and %always, %pad : (tensor<1x1x?x1xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
  %bias = ingot.where %both, %none, %lowest : (tensor<?x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x?x?xf32>

  %qh = ingot.transpose %q by [0, 2, 1, 3] : (tensor<?x?x6x16xf32>) -> tensor<?x6x?x16xf32>
  %kt = ingot.transpose %k by [0, 2, 3, 1] : (tensor<?x?x6x16xf32>) -> tensor<?x6x16x?xf32>
  %vh = ingot.transpose %v by [0, 2, 1, 3] : (tensor<?x?x6x16xf32>) -> tensor<?x6x?x16xf32>
  %qs = ingot.mul %qh, %half : (tensor<?x6x?x16xf32>, tensor<f32>) -> tensor<?x6x?x16xf32>
  %ks = ingot.mul %half, %kt : (tensor<f32>, tensor<?x6x16x?xf32>) -> tensor<?x6x16x?xf32>
  %b = ingot.size <batch>
  %s = ingot.size <seq>
  %e0 = tensor.empty(%b, %s, %s) : tensor<?x6x?x?xf32>
  %dot = ingot.matmul ins(%qs, %ks : tensor<?x6x?x16xf32>, tensor<?x6x16x?xf32>) outs(%e0 : tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
  %sum = ingot.add %bias, %dot : (tensor<?x1x?x?xf32>, tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
  %p = ingot.softmax ins(%sum : tensor<?x6x?x?xf32>) outs(%e0 : tensor<?x6x?x?xf32>) {axis = 3 : i64} -> tensor<?x6x?x?xf32>
  %nan = ingot.is_nan %p : (tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xi1>
  %g = ingot.where %nan, %none, %p : (tensor<?x6x?x?xi1>, tensor<f32>, tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
  %e1 = tensor.empty(%b, %s) : tensor<?x6x?x16xf32>
  %o = ingot.matmul ins(%g, %vh : tensor<?x6x?x?xf32>, tensor<?x6x?x16xf32>) outs(%e1 : tensor<?x6x?x16xf32>) -> tensor<?x6x?x16xf32>
  %y = ingot.transpose %o by [0, 2, 1, 3] : (tensor<?x6x?x16xf32>) -> tensor<?x?x6x16xf32>
  return %y : tensor<?x?x6x16xf32>
}

// A mask without a guard, hidden keys by the lowest float; divided scores.
// CHECK-LABEL: @divided
// CHECK: ingot.attention
// CHECK-SAME: key_mask(%{{.*}} : tensor<?x?xi1>)
// CHECK-SAME: dead_row = #ingot.dead_row<uniform>
// CHECK-SAME: scale = 2.5{{[0-9]*}}e-01
func.func @divided(%q: tensor<?x6x?x16xf32> {ingot.dims = #ingot.dims<batch, 6, seq, 16>},
                   %k: tensor<?x6x16x?xf32> {ingot.dims = #ingot.dims<batch, 6, 16, seq>},
                   %v: tensor<?x6x?x16xf32> {ingot.dims = #ingot.dims<batch, 6, seq, 16>},
                   %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>}) -> tensor<?x6x?x16xf32> {
  %one = ingot.constant dense<1.0> : tensor<f32>
  %four = ingot.constant dense<4.0> : tensor<f32>
  %lowest = ingot.constant dense<-3.40282347E+38> : tensor<f32>
  %m = ingot.reshape %mask to <batch, 1, 1, seq> : (tensor<?x?xi64>) -> tensor<?x1x1x?xi64>
  %f = ingot.cast %m {to = f32} : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?xf32>
  %hidden = ingot.sub %one, %f : (tensor<f32>, tensor<?x1x1x?xf32>) -> tensor<?x1x1x?xf32>
  %bias = ingot.mul %hidden, %lowest : (tensor<?x1x1x?xf32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %b = ingot.size <batch>
  %s = ingot.size <seq>
  %e0 = tensor.empty(%b, %s, %s) : tensor<?x6x?x?xf32>
  %dot = ingot.matmul ins(%q, %k : tensor<?x6x?x16xf32>, tensor<?x6x16x?xf32>) outs(%e0 : tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
  %scaled = ingot.div %dot, %four : (tensor<?x6x?x?xf32>, tensor<f32>) -> tensor<?x6x?x?xf32>
  %sum = ingot.add %scaled, %bias : (tensor<?x6x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x6x?x?xf32>
  %p = ingot.softmax ins(%sum : tensor<?x6x?x?xf32>) outs(%e0 : tensor<?x6x?x?xf32>) {axis = 3 : i64} -> tensor<?x6x?x?xf32>
  %e1 = tensor.empty(%b, %s) : tensor<?x6x?x16xf32>
  %o = ingot.matmul ins(%p, %v : tensor<?x6x?x?xf32>, tensor<?x6x?x16xf32>) outs(%e1 : tensor<?x6x?x16xf32>) -> tensor<?x6x?x16xf32>
  return %o : tensor<?x6x?x16xf32>
}

// The probabilities are an output: they are computed anyway.
// CHECK-LABEL: @probabilities
// CHECK-NOT: ingot.attention
func.func @probabilities(%q: tensor<2x6x5x16xf32>, %k: tensor<2x6x16x5xf32>, %v: tensor<2x6x5x16xf32>) -> (tensor<2x6x5x16xf32>, tensor<2x6x5x5xf32>) {
  %e0 = tensor.empty() : tensor<2x6x5x5xf32>
  %dot = ingot.matmul ins(%q, %k : tensor<2x6x5x16xf32>, tensor<2x6x16x5xf32>) outs(%e0 : tensor<2x6x5x5xf32>) -> tensor<2x6x5x5xf32>
  %p = ingot.softmax ins(%dot : tensor<2x6x5x5xf32>) outs(%e0 : tensor<2x6x5x5xf32>) {axis = 3 : i64} -> tensor<2x6x5x5xf32>
  %e1 = tensor.empty() : tensor<2x6x5x16xf32>
  %o = ingot.matmul ins(%p, %v : tensor<2x6x5x5xf32>, tensor<2x6x5x16xf32>) outs(%e1 : tensor<2x6x5x16xf32>) -> tensor<2x6x5x16xf32>
  return %o, %p : tensor<2x6x5x16xf32>, tensor<2x6x5x5xf32>
}

// A mask that is no conjunction of positions and keys is a bias; its finite
// fill makes the guard idle.
// CHECK-LABEL: @arbitrary_mask
// CHECK: ingot.attention
// CHECK-SAME: bias(%{{.*}} : tensor<2x1x5x5xf32>)
func.func @arbitrary_mask(%q: tensor<2x6x5x16xf32>, %k: tensor<2x6x16x5xf32>, %v: tensor<2x6x5x16xf32>, %m: tensor<2x1x5x5xi1>) -> tensor<2x6x5x16xf32> {
  %none = ingot.constant dense<0.0> : tensor<f32>
  %lowest = ingot.constant dense<-3.40282347E+38> : tensor<f32>
  %bias = ingot.where %m, %none, %lowest : (tensor<2x1x5x5xi1>, tensor<f32>, tensor<f32>) -> tensor<2x1x5x5xf32>
  %e0 = tensor.empty() : tensor<2x6x5x5xf32>
  %dot = ingot.matmul ins(%q, %k : tensor<2x6x5x16xf32>, tensor<2x6x16x5xf32>) outs(%e0 : tensor<2x6x5x5xf32>) -> tensor<2x6x5x5xf32>
  %sum = ingot.add %dot, %bias : (tensor<2x6x5x5xf32>, tensor<2x1x5x5xf32>) -> tensor<2x6x5x5xf32>
  %p = ingot.softmax ins(%sum : tensor<2x6x5x5xf32>) outs(%e0 : tensor<2x6x5x5xf32>) {axis = 3 : i64} -> tensor<2x6x5x5xf32>
  %nan = ingot.is_nan %p : (tensor<2x6x5x5xf32>) -> tensor<2x6x5x5xi1>
  %g = ingot.where %nan, %none, %p : (tensor<2x6x5x5xi1>, tensor<f32>, tensor<2x6x5x5xf32>) -> tensor<2x6x5x5xf32>
  %e1 = tensor.empty() : tensor<2x6x5x16xf32>
  %o = ingot.matmul ins(%g, %v : tensor<2x6x5x5xf32>, tensor<2x6x5x16xf32>) outs(%e1 : tensor<2x6x5x16xf32>) -> tensor<2x6x5x16xf32>
  return %o : tensor<2x6x5x16xf32>
}

// With minus infinity the guard makes rows without visible keys zero, which
// attention with a bias does not: the primitives stay.
// CHECK-LABEL: @arbitrary_guarded_mask
// CHECK-NOT: ingot.attention
func.func @arbitrary_guarded_mask(%q: tensor<2x6x5x16xf32>, %k: tensor<2x6x16x5xf32>, %v: tensor<2x6x5x16xf32>, %m: tensor<2x1x5x5xi1>) -> tensor<2x6x5x16xf32> {
  %none = ingot.constant dense<0.0> : tensor<f32>
  %lowest = ingot.constant dense<0xFF800000> : tensor<f32>
  %bias = ingot.where %m, %none, %lowest : (tensor<2x1x5x5xi1>, tensor<f32>, tensor<f32>) -> tensor<2x1x5x5xf32>
  %e0 = tensor.empty() : tensor<2x6x5x5xf32>
  %dot = ingot.matmul ins(%q, %k : tensor<2x6x5x16xf32>, tensor<2x6x16x5xf32>) outs(%e0 : tensor<2x6x5x5xf32>) -> tensor<2x6x5x5xf32>
  %sum = ingot.add %dot, %bias : (tensor<2x6x5x5xf32>, tensor<2x1x5x5xf32>) -> tensor<2x6x5x5xf32>
  %p = ingot.softmax ins(%sum : tensor<2x6x5x5xf32>) outs(%e0 : tensor<2x6x5x5xf32>) {axis = 3 : i64} -> tensor<2x6x5x5xf32>
  %nan = ingot.is_nan %p : (tensor<2x6x5x5xf32>) -> tensor<2x6x5x5xi1>
  %g = ingot.where %nan, %none, %p : (tensor<2x6x5x5xi1>, tensor<f32>, tensor<2x6x5x5xf32>) -> tensor<2x6x5x5xf32>
  %e1 = tensor.empty() : tensor<2x6x5x16xf32>
  %o = ingot.matmul ins(%g, %v : tensor<2x6x5x5xf32>, tensor<2x6x5x16xf32>) outs(%e1 : tensor<2x6x5x16xf32>) -> tensor<2x6x5x16xf32>
  return %o : tensor<2x6x5x16xf32>
}

// Queries that are not the last of the keys' positions have an offset.
// CHECK-LABEL: @offset
// CHECK: %[[AT:.*]] = arith.constant 2 : index
// CHECK: ingot.attention
// CHECK-SAME: offset(%[[AT]])
// CHECK-SAME: causal = true
func.func @offset(%q: tensor<2x6x5x16xf32>, %k: tensor<2x6x16x9xf32>, %v: tensor<2x6x9x16xf32>) -> tensor<2x6x5x16xf32> {
  %none = ingot.constant dense<0.0> : tensor<f32>
  %lowest = ingot.constant dense<-3.40282347E+38> : tensor<f32>
  %zero = ingot.constant dense<0> : tensor<i64>
  %one = ingot.constant dense<1> : tensor<i64>
  %two = ingot.constant dense<2> : tensor<i64>
  %keys = ingot.range %zero, %one size <9> : (tensor<i64>, tensor<i64>) -> tensor<9xi64>
  %places = ingot.range %two, %one size <5> : (tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %column = ingot.reshape %places to <5, 1> : (tensor<5xi64>) -> tensor<5x1xi64>
  %seen = ingot.less_equal %keys, %column : (tensor<9xi64>, tensor<5x1xi64>) -> tensor<5x9xi1>
  %bias = ingot.where %seen, %none, %lowest : (tensor<5x9xi1>, tensor<f32>, tensor<f32>) -> tensor<5x9xf32>
  %e0 = tensor.empty() : tensor<2x6x5x9xf32>
  %dot = ingot.matmul ins(%q, %k : tensor<2x6x5x16xf32>, tensor<2x6x16x9xf32>) outs(%e0 : tensor<2x6x5x9xf32>) -> tensor<2x6x5x9xf32>
  %sum = ingot.add %dot, %bias : (tensor<2x6x5x9xf32>, tensor<5x9xf32>) -> tensor<2x6x5x9xf32>
  %p = ingot.softmax ins(%sum : tensor<2x6x5x9xf32>) outs(%e0 : tensor<2x6x5x9xf32>) {axis = 3 : i64} -> tensor<2x6x5x9xf32>
  %e1 = tensor.empty() : tensor<2x6x5x16xf32>
  %o = ingot.matmul ins(%p, %v : tensor<2x6x5x9xf32>, tensor<2x6x9x16xf32>) outs(%e1 : tensor<2x6x5x16xf32>) -> tensor<2x6x5x16xf32>
  return %o : tensor<2x6x5x16xf32>
}
