// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Two codes a byte: the weight is its bytes, a code is shifted out of one.
// CHECK: ingot.weight @w : tensor<16xi8>
// CHECK-LABEL: func.func @unpack
// CHECK: %[[BYTES:.*]] = ingot.weight_ref @w : tensor<16xi8>
// CHECK: linalg.generic
// CHECK: %[[BYTE:.*]] = tensor.extract %[[BYTES]]
// CHECK: %[[SHIFTED:.*]] = arith.shrui %[[BYTE]]
// CHECK: %[[CODE:.*]] = arith.trunci %[[SHIFTED]] : i8 to i4
// CHECK: arith.extui %[[CODE]] : i4 to i8
ingot.weight @w : tensor<4x8xui4> in "w.bin" at 0 length 16
func.func @unpack(%s: tensor<f32>) -> tensor<4x8xf32> {
  %w = ingot.weight_ref @w : tensor<4x8xui4>
  %0 = ingot.dequantize %w, %s : (tensor<4x8xui4>, tensor<f32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// Only chosen rows are unpacked.
// CHECK-LABEL: func.func @gather
// CHECK: %[[BYTES:.*]] = ingot.weight_ref @w : tensor<100xi8>
// CHECK-NOT: tensor<10x40xi8>
// CHECK: tensor.extract %[[BYTES]]
// CHECK: arith.extsi {{.*}} : i2 to i8
// CHECK-NOT: tensor<10x40xi8>
// CHECK: return
ingot.weight @w : tensor<10x40xi2> in "w.bin" at 0 length 100
func.func @gather(%ids: tensor<3xi64>, %s: tensor<10x2xf32>) -> tensor<3x40xf32> {
  %w = ingot.weight_ref @w : tensor<10x40xi2>
  %0 = ingot.dequantize %w, %s {axis = 1 : i64, block_size = 20 : i64} : (tensor<10x40xi2>, tensor<10x2xf32>) -> tensor<10x40xf32>
  %1 = ingot.gather %0, %ids {axis = 0 : i64} : (tensor<10x40xf32>, tensor<3xi64>) -> tensor<3x40xf32>
  return %1 : tensor<3x40xf32>
}
