// RUN: ingot-opt %s -split-input-file -ingot-roll-layers=remarks=true 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

// Four layers that differ in their weights become one; what comes in front of
// them and behind them stays.
// REMARK: program 'chain': a loop of 4 parts of 2 ops
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[X:.*]]: tensor<4x4xf32>)
// CHECK: %[[E:.*]] = tensor.empty()
// CHECK: %[[FIRST:.*]] = linalg.exp ins(%[[X]]
// CHECK: %[[OUT:.*]] = scf.for %[[I:.*]] = %{{.*}} to %c4{{.*}} step %{{.*}} iter_args(%[[C:.*]] = %[[FIRST]])
// CHECK: %[[W:.*]] = ingot.weight_member [@w0, @w1, @w2, @w3][%[[I]]] : tensor<4x4xf32>
// CHECK: %[[M:.*]] = linalg.matmul ins(%[[C]], %[[W]]
// CHECK: %[[Y:.*]] = linalg.add ins(%[[C]], %[[M]]
// CHECK: scf.yield %[[Y]]
// CHECK: linalg.negf ins(%[[OUT]]
// CHECK-NOT: linalg.
ingot.weight @w0 : tensor<4x4xf32> in "m.onnx" at 0 length 64
ingot.weight @w1 : tensor<4x4xf32> in "m.onnx" at 64 length 64
ingot.weight @w2 : tensor<4x4xf32> in "m.onnx" at 128 length 64
ingot.weight @w3 : tensor<4x4xf32> in "m.onnx" at 192 length 64
func.func @chain(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  %x0 = linalg.exp ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %w0 = ingot.weight_ref @w0 : tensor<4x4xf32>
  %m0 = linalg.matmul ins(%x0, %w0 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %x1 = linalg.add ins(%x0, %m0 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %w1 = ingot.weight_ref @w1 : tensor<4x4xf32>
  %m1 = linalg.matmul ins(%x1, %w1 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %x2 = linalg.add ins(%x1, %m1 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %w2 = ingot.weight_ref @w2 : tensor<4x4xf32>
  %m2 = linalg.matmul ins(%x2, %w2 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %x3 = linalg.add ins(%x2, %m2 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %w3 = ingot.weight_ref @w3 : tensor<4x4xf32>
  %m3 = linalg.matmul ins(%x3, %w3 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %x4 = linalg.add ins(%x3, %m3 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.negf ins(%x4 : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

// A group of two layers, of which one has an attribute of its own, with its
// caches; what is computed without a weight is made in front.
// REMARK: program 'groups': a loop of 4 parts of 4 ops
// CHECK-LABEL: func.func @groups(
// CHECK: %[[T:.*]] = linalg.negf ins(%{{.*}} : tensor<1x1x1x4xf32>)
// CHECK: scf.for %[[I:.*]] = {{.*}} iter_args
// CHECK-DAG: %[[A:.*]] = ingot.cache_member [%[[I]]] of %arg3, %arg5, %arg7, %arg9
// CHECK-DAG: %[[B:.*]] = ingot.cache_member [%[[I]]] of %arg4, %arg6, %arg8, %arg10
// CHECK: ingot.paged_attention {{.*}} cache(%[[A]]
// CHECK: linalg.add ins(%{{.*}}, %[[T]]
// CHECK: ingot.paged_attention {{.*}} cache(%[[B]]
// CHECK: scf.yield
!cache = !ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>
!x = tensor<1x1x1x4xf32>
ingot.weight @w : tensor<1x1x1x4xf32> in "m.onnx" at 0 length 16
func.func @groups(%x: !x, %past: tensor<1xi64>, %count: tensor<1xi64>,
    %c0: !cache {ingot.cache_group = 0 : i64, ingot.key_offset = 0 : i64, ingot.value_offset = 64 : i64},
    %c1: !cache {ingot.cache_group = 1 : i64, ingot.key_offset = 0 : i64, ingot.value_offset = 64 : i64},
    %c2: !cache {ingot.cache_group = 0 : i64, ingot.key_offset = 128 : i64, ingot.value_offset = 192 : i64},
    %c3: !cache {ingot.cache_group = 1 : i64, ingot.key_offset = 128 : i64, ingot.value_offset = 192 : i64},
    %c4: !cache {ingot.cache_group = 0 : i64, ingot.key_offset = 256 : i64, ingot.value_offset = 320 : i64},
    %c5: !cache {ingot.cache_group = 1 : i64, ingot.key_offset = 256 : i64, ingot.value_offset = 320 : i64},
    %c6: !cache {ingot.cache_group = 0 : i64, ingot.key_offset = 384 : i64, ingot.value_offset = 448 : i64},
    %c7: !cache {ingot.cache_group = 1 : i64, ingot.key_offset = 384 : i64, ingot.value_offset = 448 : i64}) -> !x {
  %e = tensor.empty() : !x
  %w = ingot.weight_ref @w : !x
  %x0 = linalg.mul ins(%x, %w : !x, !x) outs(%e : !x) -> !x
  %a0 = ingot.paged_attention ins(%x0 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c0 : !cache) outs(%e : !x) {scale = 1.0 : f64, window = 8 : i64} -> !x
  %t = linalg.negf ins(%x : !x) outs(%e : !x) -> !x
  %y0 = linalg.add ins(%a0, %t : !x, !x) outs(%e : !x) -> !x
  %b0 = ingot.paged_attention ins(%y0 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c1 : !cache) outs(%e : !x) {scale = 1.0 : f64} -> !x
  %x1 = linalg.add ins(%b0, %t : !x, !x) outs(%e : !x) -> !x
  %a1 = ingot.paged_attention ins(%x1 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c2 : !cache) outs(%e : !x) {scale = 1.0 : f64, window = 8 : i64} -> !x
  %y1 = linalg.add ins(%a1, %t : !x, !x) outs(%e : !x) -> !x
  %b1 = ingot.paged_attention ins(%y1 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c3 : !cache) outs(%e : !x) {scale = 1.0 : f64} -> !x
  %x2 = linalg.add ins(%b1, %t : !x, !x) outs(%e : !x) -> !x
  %a2 = ingot.paged_attention ins(%x2 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c4 : !cache) outs(%e : !x) {scale = 1.0 : f64, window = 8 : i64} -> !x
  %y2 = linalg.add ins(%a2, %t : !x, !x) outs(%e : !x) -> !x
  %b2 = ingot.paged_attention ins(%y2 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c5 : !cache) outs(%e : !x) {scale = 1.0 : f64} -> !x
  %x3 = linalg.add ins(%b2, %t : !x, !x) outs(%e : !x) -> !x
  %a3 = ingot.paged_attention ins(%x3 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c6 : !cache) outs(%e : !x) {scale = 1.0 : f64, window = 8 : i64} -> !x
  %y3 = linalg.add ins(%a3, %t : !x, !x) outs(%e : !x) -> !x
  %b3 = ingot.paged_attention ins(%y3 : !x) past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) cache(%c7 : !cache) outs(%e : !x) {scale = 1.0 : f64} -> !x
  %x4 = linalg.add ins(%b3, %t : !x, !x) outs(%e : !x) -> !x
  return %x4 : !x
}

// -----

// What each layer computes is an output: it stays.
// REMARK: program 'escapes': not rolled
// CHECK-LABEL: func.func @escapes(
// CHECK-NOT: scf.for
ingot.weight @w0 : tensor<4xf32> in "m.onnx" at 0 length 16
ingot.weight @w1 : tensor<4xf32> in "m.onnx" at 16 length 16
ingot.weight @w2 : tensor<4xf32> in "m.onnx" at 32 length 16
ingot.weight @w3 : tensor<4xf32> in "m.onnx" at 48 length 16
func.func @escapes(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %w0 = ingot.weight_ref @w0 : tensor<4xf32>
  %w1 = ingot.weight_ref @w1 : tensor<4xf32>
  %w2 = ingot.weight_ref @w2 : tensor<4xf32>
  %w3 = ingot.weight_ref @w3 : tensor<4xf32>
  %x0 = linalg.add ins(%x, %w0 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x1 = linalg.add ins(%x0, %w1 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x2 = linalg.add ins(%x1, %w2 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x3 = linalg.add ins(%x2, %w3 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %x0, %x1, %x2, %x3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Two programs with the same layers have the same families; the second has one
// layer less in its loop, since it takes the last one's value apart. A weight
// has one place in one family: a third program in another order stays.
// REMARK-DAG: program 'all': a loop of 5 parts of 1 ops
// REMARK-DAG: program 'fewer': a loop of 4 parts of 1 ops
// REMARK-DAG: program 'reverse': not rolled: weights are used in several orders
// CHECK-LABEL: func.func @fewer(
// CHECK: ingot.weight_member [@w0, @w1, @w2, @w3][
// CHECK-LABEL: func.func @all(
// CHECK: ingot.weight_member [@w0, @w1, @w2, @w3, @w4][
// CHECK-LABEL: func.func @reverse(
// CHECK-NOT: scf.for
ingot.weight @w0 : tensor<4xf32> in "m.onnx" at 0 length 16
ingot.weight @w1 : tensor<4xf32> in "m.onnx" at 16 length 16
ingot.weight @w2 : tensor<4xf32> in "m.onnx" at 32 length 16
ingot.weight @w3 : tensor<4xf32> in "m.onnx" at 48 length 16
ingot.weight @w4 : tensor<4xf32> in "m.onnx" at 64 length 16
func.func @fewer(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %w0 = ingot.weight_ref @w0 : tensor<4xf32>
  %w1 = ingot.weight_ref @w1 : tensor<4xf32>
  %w2 = ingot.weight_ref @w2 : tensor<4xf32>
  %w3 = ingot.weight_ref @w3 : tensor<4xf32>
  %w4 = ingot.weight_ref @w4 : tensor<4xf32>
  %x0 = linalg.add ins(%x, %w0 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x1 = linalg.add ins(%x0, %w1 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x2 = linalg.add ins(%x1, %w2 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x3 = linalg.add ins(%x2, %w3 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x4 = linalg.mul ins(%x3, %w4 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %x4 : tensor<4xf32>
}
func.func @all(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %w0 = ingot.weight_ref @w0 : tensor<4xf32>
  %w1 = ingot.weight_ref @w1 : tensor<4xf32>
  %w2 = ingot.weight_ref @w2 : tensor<4xf32>
  %w3 = ingot.weight_ref @w3 : tensor<4xf32>
  %w4 = ingot.weight_ref @w4 : tensor<4xf32>
  %x0 = linalg.add ins(%x, %w0 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x1 = linalg.add ins(%x0, %w1 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x2 = linalg.add ins(%x1, %w2 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x3 = linalg.add ins(%x2, %w3 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x4 = linalg.add ins(%x3, %w4 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %x4 : tensor<4xf32>
}
func.func @reverse(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %w0 = ingot.weight_ref @w0 : tensor<4xf32>
  %w1 = ingot.weight_ref @w1 : tensor<4xf32>
  %w2 = ingot.weight_ref @w2 : tensor<4xf32>
  %w3 = ingot.weight_ref @w3 : tensor<4xf32>
  %x0 = linalg.add ins(%x, %w3 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x1 = linalg.add ins(%x0, %w2 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x2 = linalg.add ins(%x1, %w1 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %x3 = linalg.add ins(%x2, %w0 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %x3 : tensor<4xf32>
}
