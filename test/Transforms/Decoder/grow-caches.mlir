// RUN: ingot-opt %s -ingot-grow-caches -cse -canonicalize -split-input-file | FileCheck %s

// A scatter of positions on a view that has them first becomes an append; who
// reads the whole buffer gets it filled up. The input of positions is counted
// from the past on, and the extent is a limit.
// CHECK-LABEL: module
// CHECK-SAME: ingot.position_limit = 9 : i64
// CHECK: ingot.dim @past
// CHECK-LABEL: func.func @view(
// CHECK-SAME: %[[AT:.*]]: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.meaning = "the row's past + the token's number"
// CHECK-SAME: %[[P:.*]]: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>
// CHECK-SAME: %[[NEW:[^:]*]]: tensor<?x2x?x4xf32>
// CHECK-SAME: (tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past + seq, 4>}, tensor<?x9x2x4xf32>, tensor<?xi64>)
// CHECK-DAG: %[[FROM:.*]] = ingot.from_dims <past>
// CHECK-DAG: %[[PLACES:.*]] = ingot.range %[[FROM]], %{{.*}} size <seq>
// CHECK-DAG: %[[ALL:.*]] = ingot.concat %[[P]], %[[NEW]] {axis = 2 : i64}
// CHECK-DAG: %[[FULL:.*]] = ingot.pad %[[ALL]] {high = #ingot.dims<0, 0, -past - seq + 9, 0>
// CHECK: %[[READ:.*]] = ingot.transpose %[[FULL]] by [0, 2, 1, 3] : (tensor<?x2x9x4xf32>)
// CHECK: return %[[ALL]], %[[READ]], %[[PLACES]]
ingot.dim @batch
ingot.dim @seq
func.func @view(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>}, tensor<?x9x2x4xf32>, tensor<?xi64>) {
  %index = ingot.reshape %at to <seq, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %old = ingot.transpose %p by [2, 0, 1, 3] : (tensor<?x2x9x4xf32>) -> tensor<9x?x2x4xf32>
  %more = ingot.transpose %new by [2, 0, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %w = ingot.scatter_nd %old, %index, %more : (tensor<9x?x2x4xf32>, tensor<?x1xi64>, tensor<?x?x2x4xf32>) -> tensor<9x?x2x4xf32>
  %back = ingot.transpose %w by [1, 2, 0, 3] : (tensor<9x?x2x4xf32>) -> tensor<?x2x9x4xf32>
  %read = ingot.transpose %w by [1, 0, 2, 3] : (tensor<9x?x2x4xf32>) -> tensor<?x9x2x4xf32>
  return %back, %read, %at : tensor<?x2x9x4xf32>, tensor<?x9x2x4xf32>, tensor<?xi64>
}

// -----

// An index for every element; an extent that is a symbol is what there is.
// CHECK-NOT: ingot.position_limit
// CHECK-NOT: ingot.dim @room
// CHECK: ingot.dim @past_0
// CHECK-LABEL: func.func @elements(
// CHECK-SAME: %[[P:[^:]*]]: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past_0, 4>}
// CHECK-SAME: %[[NEW:[^:]*]]: tensor<?x2x?x4xf32>
// CHECK-SAME: ingot.dims = #ingot.dims<batch, past_0 + seq>
// CHECK: %[[ALL:.*]] = ingot.concat %[[P]], %[[NEW]] {axis = 2 : i64}
// CHECK: return %[[ALL]]
ingot.dim @batch
ingot.dim @seq
ingot.dim @past
ingot.dim @room
func.func @elements(%at: tensor<?xi32> {ingot.dims = #ingot.dims<seq>},
                    %p: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, room, 4>},
                    %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>},
                    %mask: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, room>})
    -> tensor<?x2x?x4xf32> {
  %long = ingot.cast %at {to = i64} : (tensor<?xi32>) -> tensor<?xi64>
  %column = ingot.reshape %long to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %w : tensor<?x2x?x4xf32>
}

// -----

// An index for every row, head and position, of a row's own positions.
// CHECK-LABEL: func.func @ranges(
// CHECK-SAME: ingot.meaning = "the row's past + the token's number"
// CHECK: ingot.concat %{{.*}}, %{{.*}} {axis = 2 : i64}
// CHECK-NOT: ingot.scatter_nd
ingot.dim @batch
ingot.dim @seq
func.func @ranges(%at: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>},
                  %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>},
                  %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>})
    -> tensor<?x2x9x4xf32> {
  %zero = ingot.constant dense<0> : tensor<i64>
  %one = ingot.constant dense<1> : tensor<i64>
  %rows = ingot.range %zero, %one size <batch> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %row = ingot.reshape %rows to <batch, 1, 1, 1> : (tensor<?xi64>) -> tensor<?x1x1x1xi64>
  %r = ingot.broadcast_to %row to <batch, 2, seq, 1> : (tensor<?x1x1x1xi64>) -> tensor<?x2x?x1xi64>
  %heads = ingot.constant dense<[[[0]], [[1]]]> : tensor<2x1x1xi64>
  %h = ingot.broadcast_to %heads to <batch, 2, seq, 1> : (tensor<2x1x1xi64>) -> tensor<?x2x?x1xi64>
  %place = ingot.reshape %at to <batch, 1, seq, 1> : (tensor<?x?xi64>) -> tensor<?x1x?x1xi64>
  %s = ingot.broadcast_to %place to <batch, 2, seq, 1> : (tensor<?x1x?x1xi64>) -> tensor<?x2x?x1xi64>
  %index = ingot.concat %r, %h, %s {axis = 3 : i64} : (tensor<?x2x?x1xi64>, tensor<?x2x?x1xi64>, tensor<?x2x?x1xi64>) -> tensor<?x2x?x3xi64>
  %w = ingot.scatter_nd %p, %index, %new : (tensor<?x2x9x4xf32>, tensor<?x2x?x3xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  return %w : tensor<?x2x9x4xf32>
}

// -----

// A position for each row, of its first new token, and how many positions count
// with the new ones.
// CHECK-LABEL: func.func @rows(
// CHECK-SAME: ingot.meaning = "the row's past + the token's number"
// CHECK-SAME: ingot.meaning = "the row's past + its tokens"
// CHECK-DAG: %[[LENGTH:.*]] = ingot.from_dims <past + seq>
// CHECK-DAG: %[[ONE:.*]] = ingot.reshape %[[LENGTH]] to <1>
// CHECK-DAG: %[[COUNT:.*]] = ingot.broadcast_to %[[ONE]] to <batch>
// CHECK-DAG: %[[COLUMN:.*]] = ingot.reshape %[[COUNT]] to <batch, 1>
// CHECK-DAG: ingot.less %{{.*}}, %[[COLUMN]]
// CHECK-DAG: ingot.concat %{{.*}}, %{{.*}} {axis = 1 : i64}
ingot.dim @batch
ingot.dim @seq
func.func @rows(%at: tensor<?xi64> {ingot.dims = #ingot.dims<batch>},
                %valid: tensor<?xi64> {ingot.dims = #ingot.dims<batch>},
                %p: tensor<?x9x2x4xf32> {ingot.dims = #ingot.dims<batch, 9, 2, 4>},
                %new: tensor<?x?x2x4xf32> {ingot.dims = #ingot.dims<batch, seq, 2, 4>})
    -> (tensor<?x9x2x4xf32>, tensor<?x9xi1>) {
  %w = ingot.write_rows %p, %new, %at {axis = 1 : i64} : (tensor<?x9x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?xi64>) -> tensor<?x9x2x4xf32>
  %keys = ingot.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8]> : tensor<9xi64>
  %column = ingot.reshape %valid to <batch, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  %there = ingot.less %keys, %column : (tensor<9xi64>, tensor<?x1xi64>) -> tensor<?x9xi1>
  return %w, %there : tensor<?x9x2x4xf32>, tensor<?x9xi1>
}

// -----

// A mask with a number for each query and key is the causal one; what only has
// its dims stays.
// CHECK-LABEL: func.func @mask(
// CHECK-SAME: ingot.meaning = "the keys up to the token's own"
// CHECK-SAME: %[[OTHER:[^:]*]]: tensor<?x?x9xf32> {ingot.dims = #ingot.dims<batch, seq, 9>}
// CHECK: %[[SEEN:.*]] = ingot.less_equal
// CHECK: %[[HIDE:.*]] = ingot.where %[[SEEN]]
// CHECK: %[[MASK:.*]] = ingot.broadcast_to %[[HIDE]] to <batch, 1, seq, 9>
// CHECK: ingot.add %{{.*}}, %[[MASK]]
// CHECK: ingot.reduce <sum> %[[OTHER]]
ingot.dim @batch
ingot.dim @seq
func.func @mask(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>},
                %mask: tensor<?x1x?x9xf32> {ingot.dims = #ingot.dims<batch, 1, seq, 9>},
                %other: tensor<?x?x9xf32> {ingot.dims = #ingot.dims<batch, seq, 9>},
                %scores: tensor<?x2x?x9xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 9>},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>})
    -> (tensor<?x2x9x4xf32>, tensor<?x2x?x9xf32>, tensor<?x?xf32>) {
  %column = ingot.reshape %at to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  %masked = ingot.add %scores, %mask : (tensor<?x2x?x9xf32>, tensor<?x1x?x9xf32>) -> tensor<?x2x?x9xf32>
  %batch = ingot.size <batch>
  %seq = ingot.size <seq>
  %init = tensor.empty(%batch, %seq) : tensor<?x2x?x9xf32>
  %weights = ingot.softmax ins(%masked : tensor<?x2x?x9xf32>) outs(%init : tensor<?x2x?x9xf32>) {axis = 3 : i64} -> tensor<?x2x?x9xf32>
  %sum = ingot.reduce <sum> %other axes [2] : (tensor<?x?x9xf32>) -> tensor<?x?xf32>
  return %w, %weights, %sum : tensor<?x2x9x4xf32>, tensor<?x2x?x9xf32>, tensor<?x?xf32>
}

// -----

// Lengths of rows that are computed are no business of this pass, and neither
// is a scatter into what is no buffer.
// CHECK-LABEL: func.func @others(
// CHECK: ingot.write_rows
// CHECK: ingot.scatter_elements
ingot.dim @batch
ingot.dim @seq
ingot.dim @room
func.func @others(%count: tensor<?xi64> {ingot.dims = #ingot.dims<batch>},
                  %p: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, room, 4>},
                  %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>},
                  %index: tensor<?x2x?x4xi64> {ingot.dims = #ingot.dims<batch, 2, seq, 4>})
    -> (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) {
  %seq = ingot.from_dims <seq> : tensor<i64>
  %at = ingot.sub %count, %seq : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %w = ingot.write_rows %p, %new, %at {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x?x4xf32>
  %zero = ingot.neg %new : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %s = ingot.scatter_elements %zero, %index, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %w, %s : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}

// -----

// A name of its own for how many positions there are is that of the tokens.
// CHECK-NOT: ingot.dim @places
// CHECK-LABEL: func.func @names(
// CHECK-SAME: tensor<?xi64> {ingot.dims = #ingot.dims<seq>
// CHECK: ingot.concat
ingot.dim @batch
ingot.dim @seq
ingot.dim @places
func.func @names(%at: tensor<?xi64> {ingot.dims = #ingot.dims<places>},
                 %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>},
                 %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>})
    -> tensor<?x2x9x4xf32> {
  %column = ingot.reshape %at to <1, 1, places, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  return %w : tensor<?x2x9x4xf32>
}
