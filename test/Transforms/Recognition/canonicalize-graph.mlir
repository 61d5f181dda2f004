// RUN: ingot-opt %s --ingot-canonicalize-graph | FileCheck %s

ingot.dim @batch
ingot.dim @seq

// CHECK-LABEL: @identities
// CHECK-NEXT: return %arg0
func.func @identities(%x: tensor<?x?x4xf32> {ingot.dims = #ingot.dims<batch, seq, 4>}) -> tensor<?x?x4xf32> {
  %one = ingot.constant dense<1.0> : tensor<f32>
  %0 = ingot.reshape %x to <batch, seq, 4> : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %1 = ingot.broadcast_to %0 to <batch, 1, 4> : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %2 = ingot.slice %1 from <0, 0, 0> size <batch, seq, 4> step [1, 1, 1] : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %3 = ingot.mul %one, %2 : (tensor<f32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return %3 : tensor<?x?x4xf32>
}

// A reshape to other dims stays, even if the type is the same.
// CHECK-LABEL: @no_identity
// CHECK: ingot.reshape
func.func @no_identity(%x: tensor<?x?xf32> {ingot.dims = #ingot.dims<batch, seq>}) -> tensor<?x?xf32> {
  %0 = ingot.reshape %x to <seq, batch> : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @hidden_transpose
// CHECK-NEXT: ingot.transpose %arg0 by [0, 1, 3, 2]
// CHECK-NEXT: return
func.func @hidden_transpose(%k: tensor<?x6x?x16xf32> {ingot.dims = #ingot.dims<batch, 6, seq, 16>}) -> tensor<?x6x16x?xf32> {
  %0 = ingot.reshape %k to <batch * 6, seq, 16> : (tensor<?x6x?x16xf32>) -> tensor<?x?x16xf32>
  %1 = ingot.transpose %0 by [0, 2, 1] : (tensor<?x?x16xf32>) -> tensor<?x16x?xf32>
  %2 = ingot.reshape %1 to <batch, 6, 16, seq> : (tensor<?x16x?xf32>) -> tensor<?x6x16x?xf32>
  return %2 : tensor<?x6x16x?xf32>
}

// CHECK-LABEL: @true_and
// CHECK-NEXT: return %arg0
func.func @true_and(%m: tensor<?x?xi1> {ingot.dims = #ingot.dims<batch, seq>}) -> tensor<?x?xi1> {
  %true = ingot.constant dense<true> : tensor<i1>
  %0 = ingot.and %true, %m : (tensor<i1>, tensor<?x?xi1>) -> tensor<?x?xi1>
  %1 = ingot.cast %0 {to = f32} : (tensor<?x?xi1>) -> tensor<?x?xf32>
  %2 = ingot.cast %1 {to = i1} : (tensor<?x?xf32>) -> tensor<?x?xi1>
  return %2 : tensor<?x?xi1>
}

// Heads that were repeated just before stay merged.
// CHECK-LABEL: @hidden_transpose_of_repeated_heads
// CHECK: %[[R:.*]] = ingot.reshape %arg0 to <batch, 6, seq, 16>
// CHECK-NEXT: ingot.transpose %[[R]] by [0, 1, 3, 2]
// CHECK-NEXT: return
func.func @hidden_transpose_of_repeated_heads(%k: tensor<?x3x2x?x16xf32> {ingot.dims = #ingot.dims<batch, 3, 2, seq, 16>}) -> tensor<?x6x16x?xf32> {
  %0 = ingot.reshape %k to <batch * 6, seq, 16> : (tensor<?x3x2x?x16xf32>) -> tensor<?x?x16xf32>
  %1 = ingot.transpose %0 by [0, 2, 1] : (tensor<?x?x16xf32>) -> tensor<?x16x?xf32>
  %2 = ingot.reshape %1 to <batch, 6, 16, seq> : (tensor<?x16x?xf32>) -> tensor<?x6x16x?xf32>
  return %2 : tensor<?x6x16x?xf32>
}

// Heads are turned for a rotation and turned back: the tables turn instead.
// CHECK-LABEL: @turned_rope
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x4x8xf32>
// CHECK-SAME: %[[T:[a-z0-9]+]]: tensor<?x1x?x4xf32>
// CHECK: %[[R:.*]] = ingot.reshape %[[T]] to <batch, seq, 1, 4>
// CHECK: %[[Y:.*]] = ingot.rope %[[X]], %[[R]], %{{.*}} : (tensor<?x?x4x8xf32>, tensor<?x?x1x4xf32>, tensor<?x?x1x4xf32>)
// CHECK: return %[[Y]]
func.func @turned_rope(
    %x: tensor<?x?x4x8xf32> {ingot.dims = #ingot.dims<batch, seq, 4, 8>},
    %t: tensor<?x1x?x4xf32> {ingot.dims = #ingot.dims<batch, 1, seq, 4>}) -> tensor<?x?x4x8xf32> {
  %h = ingot.transpose %x by [0, 2, 1, 3] : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
  %r = ingot.rope %h, %t, %t : (tensor<?x4x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x4x?x8xf32>
  %y = ingot.transpose %r by [0, 2, 1, 3] : (tensor<?x4x?x8xf32>) -> tensor<?x?x4x8xf32>
  return %y : tensor<?x?x4x8xf32>
}

// Where heads stay turned the rotation stays between.
// CHECK-LABEL: @heads_stay_turned
// CHECK: %[[H:.*]] = ingot.transpose
// CHECK: ingot.rope %[[H]]
func.func @heads_stay_turned(
    %x: tensor<?x?x4x8xf32> {ingot.dims = #ingot.dims<batch, seq, 4, 8>},
    %t: tensor<?x1x?x4xf32> {ingot.dims = #ingot.dims<batch, 1, seq, 4>}) -> tensor<?x4x?x8xf32> {
  %h = ingot.transpose %x by [0, 2, 1, 3] : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
  %r = ingot.rope %h, %t, %t : (tensor<?x4x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x4x?x8xf32>
  return %r : tensor<?x4x?x8xf32>
}
