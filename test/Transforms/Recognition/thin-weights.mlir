// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: printf 'AAAAAAAABBBBBBBBCCCCCCCCCCCCCCCC' > rows
// RUN: printf 'AAAABBBBCCCCDDDDAAAABBBBCCCCDDDD' > columns
// RUN: ingot-opt %s --ingot-thin-weights | FileCheck %s
// RUN: ingot-opt %s --ingot-thin-weights --ingot-recognize-dequantize | FileCheck %s --check-prefix=CODES

ingot.weight @x : tensor<2x4xf32> in "missing" at 0 length 32
// Two and two are equal in every row.
ingot.weight @rows : tensor<2x4xf32> in "rows" at 0 length 32
// Both rows are equal.
ingot.weight @columns : tensor<2x4xf32> in "columns" at 0 length 32

// CHECK-LABEL: func.func @blocks(
func.func @blocks() -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %x = ingot.weight_ref @x : tensor<2x4xf32>
  // CHECK: %[[ROWS:.*]] = ingot.weight_ref @rows
  // CHECK: %[[SLICE:.*]] = ingot.slice %[[ROWS]] from <0, 0> size <2, 2> step [1, 2]
  // CHECK: %[[ONE:.*]] = ingot.reshape %[[SLICE]] to <2, 2, 1>
  // CHECK: %[[MANY:.*]] = ingot.broadcast_to %[[ONE]] to <2, 2, 2>
  // CHECK: %[[WHOLE:.*]] = ingot.reshape %[[MANY]] to <2, 4>
  %rows = ingot.weight_ref @rows : tensor<2x4xf32>
  // CHECK: %[[COLUMNS:.*]] = ingot.weight_ref @columns
  // CHECK: %[[SLICE:.*]] = ingot.slice %[[COLUMNS]] from <0, 0> size <1, 4> step [2, 1]
  // CHECK: %[[ONE:.*]] = ingot.reshape %[[SLICE]] to <1, 1, 4>
  // CHECK: %[[MANY:.*]] = ingot.broadcast_to %[[ONE]] to <1, 2, 4>
  // CHECK: %[[WIDE:.*]] = ingot.reshape %[[MANY]] to <2, 4>
  %columns = ingot.weight_ref @columns : tensor<2x4xf32>
  // CHECK: ingot.mul %{{.*}}, %[[WIDE]]
  %scaled = ingot.mul %x, %columns : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  // CHECK: ingot.add %{{.*}}, %[[WHOLE]]
  %shifted = ingot.add %scaled, %rows : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %scaled, %shifted : tensor<2x4xf32>, tensor<2x4xf32>
}

// What meets something else than a weight is no parameter of one.
// CHECK-LABEL: func.func @data(
func.func @data(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK-NEXT: ingot.weight_ref
  // CHECK-NEXT: ingot.add
  %rows = ingot.weight_ref @rows : tensor<2x4xf32>
  %y = ingot.add %x, %rows : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// Scales that were written out are those of blocks again.
ingot.weight @codes : tensor<2x4xi8> in "missing" at 0 length 8
// CODES-LABEL: func.func @scaled(
func.func @scaled() -> tensor<2x4xf32> {
  // CODES: %[[ROWS:.*]] = ingot.weight_ref @rows
  // CODES: %[[SCALE:.*]] = ingot.slice %[[ROWS]] from <0, 0> size <2, 2> step [1, 2]
  // CODES: ingot.dequantize %{{.*}}, %[[SCALE]] {block_size = 2 : i64} : (tensor<2x4xi8>, tensor<2x2xf32>)
  %codes = ingot.weight_ref @codes : tensor<2x4xi8>
  %rows = ingot.weight_ref @rows : tensor<2x4xf32>
  %values = ingot.cast %codes {to = f32} : (tensor<2x4xi8>) -> tensor<2x4xf32>
  %y = ingot.mul %values, %rows : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
