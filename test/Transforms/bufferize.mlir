// RUN: ingot-opt %s -ingot-bufferize -canonicalize | FileCheck %s

// The result is computed in the output; its dims are returned.
// CHECK-LABEL: func @neg(
// CHECK-SAME: %[[X:.*]]: memref<?xf32> {ingot.name = "x", ingot.role = "input"}
// CHECK-SAME: %[[Y:.*]]: memref<?xf32> {ingot.name = "y", ingot.role = "output"}) -> index
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}} ins(%[[X]] : memref<?xf32>) outs(%[[Y]]
// CHECK: %[[N:.*]] = memref.dim %[[X]]
// CHECK: return %[[N]]
func.func @neg(%x: tensor<?xf32> {ingot.name = "x"}) -> (tensor<?xf32> {ingot.name = "y"}) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%m) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// An input that is an output as well, twice, is copied.
// CHECK-LABEL: func @same(
// CHECK-COUNT-2: memref.copy
func.func @same(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  return %x, %x : tensor<4xf32>, tensor<4xf32>
}

// Two values that were made from one empty tensor are two buffers, and nothing
// is copied.
// CHECK-LABEL: func @shared_empty(
// CHECK-NOT: memref.copy
// CHECK: return
func.func @shared_empty(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %1 = linalg.tanh ins(%0 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %2 = linalg.add ins(%0, %1 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %1, %2 : tensor<4xf32>, tensor<4xf32>
}
