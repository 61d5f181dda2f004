// RUN: ingot-opt %s --ingot-bound-dims | FileCheck %s

ingot.dim @batch
// CHECK: ingot.dim @seq {max = 64 : i64}
ingot.dim @seq
// CHECK-NOT: ingot.dim @total
ingot.dim @old
ingot.dim @new
ingot.dim @total

// CHECK-LABEL: @positions
// CHECK: ingot.slice %{{.*}} from <0, 0> size <seq, 8>
// The type is as exact as the expression has become.
// CHECK: ingot.reshape %{{.*}} to <batch, seq, 2, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x2x4xf32>
func.func @positions(%x: tensor<?x?x8xf32> {ingot.dims = #ingot.dims<batch, seq, 8>},
                     %table: tensor<64x8xf32>) -> tensor<?x?x?x4xf32> {
  %0 = ingot.slice %table from <0, 0> size <min(64, seq), 8> step [1, 1] : (tensor<64x8xf32>) -> tensor<?x8xf32>
  %1 = ingot.add %x, %0 : (tensor<?x?x8xf32>, tensor<?x8xf32>) -> tensor<?x?x8xf32>
  %2 = ingot.reshape %1 to <batch, broadcast(min(64, seq), seq), (2 * min(64, seq)) floordiv seq, 4> : (tensor<?x?x8xf32>) -> tensor<?x?x?x4xf32>
  return %2 : tensor<?x?x?x4xf32>
}

// A slice that meets nothing bounds nothing.
// CHECK-LABEL: @no_bound
// CHECK: size <min(32, batch), 8>
func.func @no_bound(%table: tensor<32x8xf32>) -> tensor<?x8xf32> {
  %0 = ingot.slice %table from <0, 0> size <min(32, batch), 8> step [1, 1] : (tensor<32x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// A dim that meets a sum is the sum, in the signature too.
// CHECK-LABEL: @same
// CHECK-SAME: ingot.dims = #ingot.dims<new + old>, ingot.name = "mask"
func.func @same(%old: tensor<?xf32> {ingot.dims = #ingot.dims<old>}, %new: tensor<?xf32> {ingot.dims = #ingot.dims<new>},
                %mask: tensor<?xf32> {ingot.dims = #ingot.dims<total>, ingot.name = "mask"}) -> tensor<?xf32> {
  %0 = ingot.concat %old, %new {axis = 0 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %1 = ingot.add %0, %mask : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}
