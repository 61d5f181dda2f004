// RUN: ingot-opt %s | ingot-opt | FileCheck %s

// CHECK-LABEL: func.func @rows
// CHECK: ingot.quantize_rows ins(%{{.*}} : tensor<?x576xf32>) outs(%{{.*}} : tensor<?x18x18xi32>) {activation_bits = 16 : i64, block = 32 : i64, weight_bits = 4 : i64} -> tensor<?x18x18xi32>
func.func @rows(%x: tensor<?x576xf32>, %o: tensor<?x18x18xi32>) -> tensor<?x18x18xi32> {
  %0 = ingot.quantize_rows ins(%x : tensor<?x576xf32>) outs(%o : tensor<?x18x18xi32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<?x18x18xi32>
  return %0 : tensor<?x18x18xi32>
}

// CHECK-LABEL: func.func @product
// CHECK: ingot.quantized_linear ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x18x26xi32>, tensor<3x18x4x16xi32>, tensor<3x18x16xf16>) outs(%{{.*}} : tensor<?x40xf32>) {activation_bits = 24 : i64, block = 32 : i64, weight_bits = 4 : i64, zero_point = 8 : i64} -> tensor<?x40xf32>
// CHECK: ingot.quantized_linear ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : memref<?x18x26xi32>, memref<3x18x4x16xi32>, memref<3x1x16xf32>, memref<3x1x16xi8>) outs(%{{.*}} : memref<?x40xf32>) {activation_bits = 24 : i64, block = 32 : i64, weight_bits = 4 : i64}
func.func @product(%x: tensor<?x18x26xi32>, %w: tensor<3x18x4x16xi32>, %s: tensor<3x18x16xf16>, %o: tensor<?x40xf32>,
                   %xm: memref<?x18x26xi32>, %wm: memref<3x18x4x16xi32>, %sm: memref<3x1x16xf32>, %zm: memref<3x1x16xi8>, %om: memref<?x40xf32>) -> tensor<?x40xf32> {
  %0 = ingot.quantized_linear ins(%x, %w, %s : tensor<?x18x26xi32>, tensor<3x18x4x16xi32>, tensor<3x18x16xf16>) outs(%o : tensor<?x40xf32>) {activation_bits = 24, weight_bits = 4, block = 32, zero_point = 8} -> tensor<?x40xf32>
  ingot.quantized_linear ins(%xm, %wm, %sm, %zm : memref<?x18x26xi32>, memref<3x18x4x16xi32>, memref<3x1x16xf32>, memref<3x1x16xi8>) outs(%om : memref<?x40xf32>) {activation_bits = 24, weight_bits = 4, block = 32}
  return %0 : tensor<?x40xf32>
}
