// RUN: ingot-opt %s -ingot-choose-program -split-input-file | FileCheck %s

// The program with a past is kept. What it is given of the encoder it computes
// as the other one does: @cross_k is an output that passes the input on, @cross_v
// one that is a stand-in, found by its name.

// CHECK: ingot.weight @w
// CHECK-NOT: ingot.weight @unused
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x8xf32> {ingot.dims = #ingot.dims<batch, seq, 8>, ingot.name = "x"},
// CHECK-SAME: %[[STATES:[a-z0-9]+]]: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, enc, 4>, ingot.name = "states"},
// CHECK-SAME: %[[K:[a-z0-9]+]]: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "past.self_k"})
// CHECK-SAME: ingot.replaced = ["use: is true",
// CHECK-SAME: "past.cross_k: computed when a sequence is bound, as where 'use' is false"
// CHECK-SAME: "past.cross_v: computed when a sequence is bound, as where 'use' is false"]
// CHECK: %[[W:.*]] = ingot.weight_ref @w
// CHECK: %[[CK:.*]] = ingot.mul %[[STATES]], %[[W]]
// CHECK: %[[CV:.*]] = ingot.neg %[[CK]]
// CHECK: %[[NEW:.*]] = ingot.reshape %[[X]]
// CHECK: %[[ALL:.*]] = ingot.concat %[[K]], %[[NEW]]
// CHECK: %[[SUM:.*]] = ingot.add %[[CK]], %[[CV]]
// CHECK: return %[[ALL]], %[[CK]], %{{.*}}, %[[SUM]]
// CHECK-NOT: func.func
module attributes {ingot.decider = "use"} {
  ingot.dim @batch
  ingot.dim @seq
  ingot.dim @past
  ingot.dim @enc
  ingot.dim @enc_out
  ingot.weight @w : tensor<4xf32> in "m.onnx" at 0 length 16
  ingot.weight @unused : tensor<4xf32> in "m.onnx" at 16 length 16
  func.func @main(%x: tensor<?x?x8xf32> {ingot.dims = #ingot.dims<batch, seq, 8>, ingot.name = "x"},
                  %states: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<unread_batch, 2, unread_enc, 4>, ingot.name = "states"},
                  %k: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "past.self_k"},
                  %ck: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, enc_out, 4>, ingot.name = "past.cross_k"},
                  %cv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, enc_out, 4>, ingot.name = "past.cross_v"},
                  %use: tensor<1xi1> {ingot.dims = #ingot.dims<1>, ingot.name = "use"})
      -> (tensor<?x2x?x4xf32> {ingot.name = "present.self_k"}, tensor<?x2x?x4xf32> {ingot.name = "present.cross_k"},
          tensor<f32> {ingot.name = "present.cross_v"}, tensor<?x2x?x4xf32> {ingot.name = "y"}) {
    %new = ingot.reshape %x to <batch, 2, seq, 4> : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
    %all = ingot.concat %k, %new {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    %none = ingot.constant dense<0.0> : tensor<f32>
    %sum = ingot.add %ck, %cv : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    return %all, %ck, %none, %sum : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<f32>, tensor<?x2x?x4xf32>
  }
  func.func @otherwise(%x: tensor<?x?x8xf32> {ingot.dims = #ingot.dims<batch, seq, 8>, ingot.name = "x"},
                       %states: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, enc, 4>, ingot.name = "states"},
                       %k: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, past, 4>, ingot.name = "past.self_k"},
                       %ck: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, enc_out, 4>, ingot.name = "past.cross_k"},
                       %cv: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<batch, 2, enc_out, 4>, ingot.name = "past.cross_v"},
                       %use: tensor<1xi1> {ingot.dims = #ingot.dims<1>, ingot.name = "use"})
      -> (tensor<?x2x?x4xf32> {ingot.name = "present.self_k"}, tensor<?x2x?x4xf32> {ingot.name = "present.cross_k"},
          tensor<?x2x?x4xf32> {ingot.name = "present.cross_v"}, tensor<?x2x?x4xf32> {ingot.name = "y"}) {
    %w = ingot.weight_ref @w : tensor<4xf32>
    %unused = ingot.weight_ref @unused : tensor<4xf32>
    %nk = ingot.mul %states, %w : (tensor<?x2x?x4xf32>, tensor<4xf32>) -> tensor<?x2x?x4xf32>
    %nv = ingot.neg %nk : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    %y = ingot.mul %nk, %unused : (tensor<?x2x?x4xf32>, tensor<4xf32>) -> tensor<?x2x?x4xf32>
    %new = ingot.reshape %x to <batch, 2, seq, 4> : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
    return %new, %nk, %nv, %y : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
  }
}

// -----

// The past may be where the input is false. What is given is kept as it is where
// the other program computes it from what this one reads, too.

// CHECK-LABEL: func.func @main(
// CHECK-SAME: ingot.name = "x"}, %{{.*}} {{.*}}ingot.name = "past"}, %[[GIVEN:[a-z0-9]+]]: {{.*}}ingot.name = "given"})
// CHECK-SAME: ingot.replaced = ["use: is false"]
// CHECK: ingot.concat
// CHECK: return %{{.*}}, %[[GIVEN]]
// CHECK-NOT: func.func
module attributes {ingot.decider = "use"} {
  ingot.dim @b
  ingot.dim @s
  ingot.dim @p
  func.func @main(%x: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, s, 4>, ingot.name = "x"},
                  %past: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, p, 4>, ingot.name = "past"},
                  %given: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, s, 4>, ingot.name = "given"},
                  %use: tensor<i1> {ingot.dims = #ingot.dims<>, ingot.name = "use"})
      -> (tensor<?x2x?x4xf32> {ingot.name = "present"}, tensor<?x2x?x4xf32> {ingot.name = "y"}) {
    %y = ingot.neg %x : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    return %x, %y : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
  }
  func.func @otherwise(%x: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, s, 4>, ingot.name = "x"},
                       %past: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, p, 4>, ingot.name = "past"},
                       %given: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, s, 4>, ingot.name = "given"},
                       %use: tensor<i1> {ingot.dims = #ingot.dims<>, ingot.name = "use"})
      -> (tensor<?x2x?x4xf32> {ingot.name = "present"}, tensor<?x2x?x4xf32> {ingot.name = "y"}) {
    %all = ingot.concat %past, %x {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    return %all, %given : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
  }
}
