// RUN: ingot-opt %s -ingot-grow-caches -split-input-file -verify-diagnostics

// Behind the end of a ring the order of positions is lost.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>) {
  // expected-error @below {{the cache cannot become state: input 'p' is written from its beginning on once it is full (mode circular), which leaves no order of positions}}
  %w = ingot.write_rows %p, %new, %at {axis = 2 : i64, circular = true} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x9x4xf32>
  return %w : tensor<?x2x9x4xf32>
}

// -----

// Positions that the model computes with.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>) {
  %two = ingot.constant dense<2> : tensor<i64>
  %twice = ingot.mul %at, %two : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %column = ingot.reshape %twice to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  // expected-error @below {{the cache cannot become state: input 'p' is written at positions that are no input with one for each new token}}
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  return %w : tensor<?x2x9x4xf32>
}

// -----

// What is there is added to.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>) {
  %column = ingot.reshape %at to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  // expected-error @below {{the cache cannot become state: input 'p' is written at positions that are no input with one for each new token}}
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64, reduction = #ingot.scatter<add>} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  return %w : tensor<?x2x9x4xf32>
}

// -----

// Every new token is written to the same position.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<1xi64> {ingot.dims = #ingot.dims<1>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>) {
  %column = ingot.reshape %at to <1, 1, 1, 1> : (tensor<1xi64>) -> tensor<1x1x1x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x1x1xi64>) -> tensor<?x2x?x4xi64>
  // expected-error @below {{the cache cannot become state: input 'p' is written at positions that are no input with one for each new token}}
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  return %w : tensor<?x2x9x4xf32>
}

// -----

// Along the dim of rows there are no positions.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<batch>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>) {
  %column = ingot.reshape %at to <batch, 1> : (tensor<?xi64>) -> tensor<?x1xi64>
  // expected-error @below {{the cache cannot become state: input 'p' is written at positions that are no input with one for each new token}}
  %w = ingot.scatter_nd %p, %column, %new : (tensor<?x2x9x4xf32>, tensor<?x1xi64>, tensor<?x2x9x4xf32>) -> tensor<?x2x9x4xf32>
  return %w : tensor<?x2x9x4xf32>
}

// -----

// Who reads a buffer before would read what is not there.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>, tensor<?x2x9x4xf32>) {
  %column = ingot.reshape %at to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  // expected-error @below {{the cache cannot become state: input 'p' is read before it is written}}
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  %n = ingot.neg %p : (tensor<?x2x9x4xf32>) -> tensor<?x2x9x4xf32>
  return %w, %n : tensor<?x2x9x4xf32>, tensor<?x2x9x4xf32>
}

// -----

// Buffers have one extent.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.name = "at"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %r: tensor<?x2x8x4xf32> {ingot.dims = #ingot.dims<batch, 2, 8, 4>, ingot.name = "r"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>, tensor<?x2x8x4xf32>) {
  %column = ingot.reshape %at to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  // expected-error @below {{the cache cannot become state: input 'r' has a batch of batch and 8 positions, of which seq are written; other inputs have batch, 9 and seq}}
  %v = ingot.scatter_elements %r, %index, %new {axis = 2 : i64} : (tensor<?x2x8x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x8x4xf32>
  return %w, %v : tensor<?x2x9x4xf32>, tensor<?x2x8x4xf32>
}

// -----

// The whole buffer is written.
ingot.dim @batch
ingot.dim @seq
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.name = "at"},
                %p: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x?x4xf32>) {
  %column = ingot.reshape %at to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  // expected-error @below {{the cache cannot become state: input 'p' and what is written to it need lengths of their own, not seq and seq}}
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %w : tensor<?x2x?x4xf32>
}

// -----

// Two masks of queries and keys cannot both be causal: one may be a window.
ingot.dim @batch
ingot.dim @seq
// expected-error @below {{the cache cannot become state: inputs 'a' and 'b' both say which keys a query sees: which one is causal is not clear}}
func.func @main(%at: tensor<?xi64> {ingot.dims = #ingot.dims<seq>, ingot.name = "at"},
                %a: tensor<?x9xi1> {ingot.dims = #ingot.dims<seq, 9>, ingot.name = "a"},
                %b: tensor<?x9xi1> {ingot.dims = #ingot.dims<seq, 9>, ingot.name = "b"},
                %p: tensor<?x2x9x4xf32> {ingot.dims = #ingot.dims<batch, 2, 9, 4>, ingot.name = "p"},
                %new: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, seq, 4>, ingot.name = "new"})
    -> (tensor<?x2x9x4xf32>, tensor<?x9xf32>) {
  %column = ingot.reshape %at to <1, 1, seq, 1> : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %index = ingot.broadcast_to %column to <batch, 2, seq, 4> : (tensor<1x1x?x1xi64>) -> tensor<?x2x?x4xi64>
  %w = ingot.scatter_elements %p, %index, %new {axis = 2 : i64} : (tensor<?x2x9x4xf32>, tensor<?x2x?x4xi64>, tensor<?x2x?x4xf32>) -> tensor<?x2x9x4xf32>
  %both = ingot.and %a, %b : (tensor<?x9xi1>, tensor<?x9xi1>) -> tensor<?x9xi1>
  %numbers = ingot.cast %both {to = f32} : (tensor<?x9xi1>) -> tensor<?x9xf32>
  %seq = ingot.size <seq>
  %init = tensor.empty(%seq) : tensor<?x9xf32>
  %s = ingot.softmax ins(%numbers : tensor<?x9xf32>) outs(%init : tensor<?x9xf32>) {axis = 1 : i64} -> tensor<?x9xf32>
  return %w, %s : tensor<?x2x9x4xf32>, tensor<?x9xf32>
}
