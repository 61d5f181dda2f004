// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @dequantize
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg1, %arg2
// CHECK: arith.subi
// CHECK: arith.sitofp
// CHECK: arith.mulf
func.func @dequantize(%x: tensor<4x8xui8>, %s: tensor<8xf32>, %z: tensor<8xui8>) -> tensor<4x8xf32> {
  %0 = ingot.dequantize %x, %s, %z {axis = 1 : i64} : (tensor<4x8xui8>, tensor<8xf32>, tensor<8xui8>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// Halves to even, then the ends of the type's range.
// CHECK-LABEL: func.func @quantize
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.maxnumf
// CHECK: arith.minnumf
func.func @quantize(%x: tensor<4x8xf32>, %s: tensor<f32>) -> tensor<4x8xi8> {
  %0 = ingot.quantize %x, %s {to = i8} : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xi8>
  return %0 : tensor<4x8xi8>
}
