// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// RUN: ingot-opt %s --convert-ingot-to-linalg=activation-bits=8 --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=BYTES

ingot.dim @seq
ingot.weight @codes : tensor<40x576xui8> in "m.onnx" at 0 length 23040
ingot.weight @scale : tensor<40x18xf16> in "m.onnx" at 0 length 1440

// Blocks of K of a transposed weight: codes become words of one group of 16
// columns, and the rows codes.
// CHECK-LABEL: func.func @blocked
// CHECK: %[[X:.*]] = ingot.quantize_rows ins(%{{.*}} : tensor<?x576xf32>) {{.*}} {activation_bits = 24 : i64, block = 32 : i64, weight_bits = 8 : i64}
// CHECK: %[[W:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x18x8x16xi32>)
// CHECK: tensor.extract %{{.*}} : tensor<40x576xi8>
// CHECK: arith.extui
// CHECK: arith.shli
// CHECK: %[[S:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x18x16xf16>)
// CHECK: ingot.quantized_linear ins(%[[X]], %[[W]], %[[S]] : {{.*}} {activation_bits = 24 : i64, block = 32 : i64, weight_bits = 8 : i64}
// CHECK-NOT: ingot.linear
// BYTES: ingot.quantize_rows {{.*}} {activation_bits = 8 : i64
func.func @blocked(%x: tensor<?x576xf32> {ingot.dims = #ingot.dims<seq, 576>}) -> tensor<?x40xf32> {
  %c = ingot.weight_ref @codes : tensor<40x576xui8>
  %s = ingot.weight_ref @scale : tensor<40x18xf16>
  %d = ingot.dequantize %c, %s {axis = 1 : i64, block_size = 32 : i64} : (tensor<40x576xui8>, tensor<40x18xf16>) -> tensor<40x576xf16>
  %f = ingot.cast %d {to = f32} : (tensor<40x576xf16>) -> tensor<40x576xf32>
  %w = ingot.transpose %f by [1, 0] : (tensor<40x576xf32>) -> tensor<576x40xf32>
  %m = ingot.size <seq>
  %i = tensor.empty(%m) : tensor<?x40xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x576xf32>, tensor<576x40xf32>) outs(%i : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// -----

ingot.weight @codes : tensor<96x32xi8> in "m.onnx" at 0 length 3072
ingot.weight @scale : tensor<32xf32> in "m.onnx" at 0 length 128
ingot.weight @zero : tensor<32xi8> in "m.onnx" at 0 length 32

// One scale a column; signed codes and zero points are shifted to be unsigned.
// The op may ask for bytes.
// CHECK-LABEL: func.func @columns
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x8x16xi32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x1x16xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x1x16xi8>)
// CHECK: ingot.quantized_linear {{.*}} {activation_bits = 8 : i64, block = 32 : i64, weight_bits = 8 : i64}
func.func @columns(%x: tensor<2x3x96xf32>) -> tensor<2x3x32xf32> {
  %c = ingot.weight_ref @codes : tensor<96x32xi8>
  %s = ingot.weight_ref @scale : tensor<32xf32>
  %z = ingot.weight_ref @zero : tensor<32xi8>
  %w = ingot.dequantize %c, %s, %z {axis = 1 : i64} : (tensor<96x32xi8>, tensor<32xf32>, tensor<32xi8>) -> tensor<96x32xf32>
  %i = tensor.empty() : tensor<2x3x32xf32>
  %0 = ingot.linear ins(%x, %w : tensor<2x3x96xf32>, tensor<96x32xf32>) outs(%i : tensor<2x3x32xf32>) {activation_bits = 8} -> tensor<2x3x32xf32>
  return %0 : tensor<2x3x32xf32>
}

// -----

ingot.dim @seq
ingot.weight @codes : tensor<64x8xui4> in "m.onnx" at 0 length 256
ingot.weight @scale : tensor<2x8xf32> in "m.onnx" at 0 length 64

// The model may allow a weight's product bytes: level 4 does, level 1 does not.
// CHECK-LABEL: func.func @levels
// CHECK: %[[ROWS:.*]] = ingot.quantize_rows {{.*}} {activation_bits = 8 : i64, block = 32 : i64, weight_bits = 4 : i64}
// CHECK: ingot.quantized_linear ins(%[[ROWS]], {{.*}} {activation_bits = 8 : i64
// CHECK: %[[MORE:.*]] = ingot.quantize_rows {{.*}} {activation_bits = 24 : i64
// CHECK: ingot.quantized_linear ins(%[[MORE]], {{.*}} {activation_bits = 24 : i64
func.func @levels(%x: tensor<?x64xf32> {ingot.dims = #ingot.dims<seq, 64>}) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %c = ingot.weight_ref @codes : tensor<64x8xui4>
  %s = ingot.weight_ref @scale : tensor<2x8xf32>
  %w = ingot.dequantize %c, %s {axis = 0 : i64, block_size = 32 : i64, ingot.accuracy_level = 4} : (tensor<64x8xui4>, tensor<2x8xf32>) -> tensor<64x8xf32>
  %v = ingot.dequantize %c, %s {axis = 0 : i64, block_size = 32 : i64, ingot.accuracy_level = 1} : (tensor<64x8xui4>, tensor<2x8xf32>) -> tensor<64x8xf32>
  %m = ingot.size <seq>
  %i = tensor.empty(%m) : tensor<?x8xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x64xf32>, tensor<64x8xf32>) outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = ingot.linear ins(%x, %v : tensor<?x64xf32>, tensor<64x8xf32>) outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

ingot.weight @codes : tensor<96x32xi8> in "m.onnx" at 0 length 3072

// Activations that the model rounds itself keep their values.
// CHECK-LABEL: func.func @rounded
// CHECK-NOT: ingot.quantize_rows
// CHECK: ingot.quantized_linear ins(%{{.*}}, {{.*}} : tensor<3x96xf32>, {{.*}} {activation_bits = 32 : i64, block = 32 : i64, weight_bits = 8 : i64, zero_point = 128 : i64}
func.func @rounded(%q: tensor<3x96xi8>, %t: tensor<f32>) -> tensor<3x32xf32> {
  %x = ingot.dequantize %q, %t {axis = 0 : i64} : (tensor<3x96xi8>, tensor<f32>) -> tensor<3x96xf32>
  %c = ingot.weight_ref @codes : tensor<96x32xi8>
  %s = ingot.constant dense<0.5> : tensor<f32>
  %w = ingot.dequantize %c, %s {axis = 1 : i64} : (tensor<96x32xi8>, tensor<f32>) -> tensor<96x32xf32>
  %i = tensor.empty() : tensor<3x32xf32>
  %0 = ingot.linear ins(%x, %w : tensor<3x96xf32>, tensor<96x32xf32>) outs(%i : tensor<3x32xf32>) -> tensor<3x32xf32>
  return %0 : tensor<3x32xf32>
}

// -----

ingot.weight @codes : tensor<96x32xi8> in "m.onnx" at 0 length 3072

// One scale a row of K is no layout of the kernels, and a weight that is an
// input is not known while compiling: both stay floats.
// CHECK-LABEL: func.func @floats
// CHECK-NOT: ingot.quantized_linear
// CHECK-COUNT-2: ingot.linear
func.func @floats(%x: tensor<3x96xf32>, %s: tensor<96xf32>, %input: tensor<96x32xi8>, %t: tensor<32xf32>) -> (tensor<3x32xf32>, tensor<3x32xf32>) {
  %c = ingot.weight_ref @codes : tensor<96x32xi8>
  %w = ingot.dequantize %c, %s {axis = 0 : i64} : (tensor<96x32xi8>, tensor<96xf32>) -> tensor<96x32xf32>
  %v = ingot.dequantize %input, %t {axis = 1 : i64} : (tensor<96x32xi8>, tensor<32xf32>) -> tensor<96x32xf32>
  %i = tensor.empty() : tensor<3x32xf32>
  %0 = ingot.linear ins(%x, %w : tensor<3x96xf32>, tensor<96x32xf32>) outs(%i : tensor<3x32xf32>) -> tensor<3x32xf32>
  %1 = ingot.linear ins(%x, %v : tensor<3x96xf32>, tensor<96x32xf32>) outs(%i : tensor<3x32xf32>) -> tensor<3x32xf32>
  return %0, %1 : tensor<3x32xf32>, tensor<3x32xf32>
}
