// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse | FileCheck %s
// A table whose transpose is multiplied with is kept once, as packed panels,
// from which lookups read as well.

ingot.weight @table : tensor<40x8xf32> in "m.onnx" at 0 length 1280
ingot.dim @n
// CHECK-LABEL: func.func @tied(
func.func @tied(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<n>}) -> tensor<?x40xf32> {
  %table = ingot.weight_ref @table : tensor<40x8xf32>
  %x = ingot.embedding %table, %ids : (tensor<40x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  %w = ingot.transpose %table by [1, 0] : (tensor<40x8xf32>) -> tensor<8x40xf32>
  %size = ingot.size <n>
  %init = tensor.empty(%size) : tensor<?x40xf32>
  // CHECK: %[[PACKED:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x8x16xf32>)
  // CHECK: tensor.extract %[[PACKED]][%{{.*}}, %{{.*}}, %{{.*}}] : tensor<3x8x16xf32>
  // CHECK: ingot.linear ins(%{{.*}}, %[[PACKED]]
  %y = ingot.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x40xf32>) outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// The same for a table of codes, with scales and zero points.
ingot.weight @codes : tensor<40x64xui4> in "m.onnx" at 1280 length 1280
ingot.weight @scales : tensor<40x2xf32> in "m.onnx" at 2560 length 320
ingot.weight @zeros : tensor<40x2xui4> in "m.onnx" at 2880 length 40
// CHECK-LABEL: func.func @tied_codes(
func.func @tied_codes(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<n>}) -> tensor<?x40xf32> {
  %codes = ingot.weight_ref @codes : tensor<40x64xui4>
  %scales = ingot.weight_ref @scales : tensor<40x2xf32>
  %zeros = ingot.weight_ref @zeros : tensor<40x2xui4>
  %table = ingot.dequantize %codes, %scales, %zeros {block_size = 32} : (tensor<40x64xui4>, tensor<40x2xf32>, tensor<40x2xui4>) -> tensor<40x64xf32>
  %x = ingot.embedding %table, %ids : (tensor<40x64xf32>, tensor<?xi64>) -> tensor<?x64xf32>
  %w = ingot.transpose %table by [1, 0] : (tensor<40x64xf32>) -> tensor<64x40xf32>
  %size = ingot.size <n>
  %init = tensor.empty(%size) : tensor<?x40xf32>
  // CHECK: %[[CODES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2x4x16xi32>)
  // CHECK: %[[SCALES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2x16xf32>)
  // CHECK: %[[ZEROS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2x16xi8>)
  // CHECK: ingot.check
  // CHECK: tensor.extract %[[CODES]][
  // CHECK: tensor.extract %[[ZEROS]][
  // CHECK: tensor.extract %[[SCALES]][
  // CHECK: ingot.quantized_linear ins(%{{.*}}, %[[CODES]], %[[SCALES]], %[[ZEROS]]
  %y = ingot.linear ins(%x, %w : tensor<?x64xf32>, tensor<64x40xf32>) outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// Looked up as codes, because every row has one scale.
ingot.weight @bytes : tensor<40x64xi8> in "m.onnx" at 2944 length 2560
ingot.weight @rows : tensor<40xf32> in "m.onnx" at 5504 length 160
// CHECK-LABEL: func.func @tied_rows(
func.func @tied_rows(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<n>}) -> (tensor<?x64xi8>, tensor<?x40xf32>) {
  %codes = ingot.weight_ref @bytes : tensor<40x64xi8>
  %rows = ingot.weight_ref @rows : tensor<40xf32>
  %c = ingot.embedding %codes, %ids : (tensor<40x64xi8>, tensor<?xi64>) -> tensor<?x64xi8>
  %x = ingot.cast %c {to = f32} : (tensor<?x64xi8>) -> tensor<?x64xf32>
  %table = ingot.dequantize %codes, %rows {axis = 0} : (tensor<40x64xi8>, tensor<40xf32>) -> tensor<40x64xf32>
  %w = ingot.transpose %table by [1, 0] : (tensor<40x64xf32>) -> tensor<64x40xf32>
  %size = ingot.size <n>
  %init = tensor.empty(%size) : tensor<?x40xf32>
  // CHECK: %[[CODES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x1x16x16xi32>)
  // CHECK: tensor.extract %[[CODES]][
  // CHECK: ingot.quantized_linear ins(%{{.*}}, %[[CODES]],
  %y = ingot.linear ins(%x, %w : tensor<?x64xf32>, tensor<64x40xf32>) outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %c, %y : tensor<?x64xi8>, tensor<?x40xf32>
}

// A table of bf16 is kept as pairs.
ingot.weight @short : tensor<40x8xbf16> in "m.onnx" at 2920 length 640
// CHECK-LABEL: func.func @tied_pairs(
func.func @tied_pairs(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<n>}) -> tensor<?x40xbf16> {
  %table = ingot.weight_ref @short : tensor<40x8xbf16>
  %x = ingot.embedding %table, %ids : (tensor<40x8xbf16>, tensor<?xi64>) -> tensor<?x8xbf16>
  %w = ingot.transpose %table by [1, 0] : (tensor<40x8xbf16>) -> tensor<8x40xbf16>
  %size = ingot.size <n>
  %init = tensor.empty(%size) : tensor<?x40xbf16>
  // CHECK: %[[PAIRS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x4x16x2xbf16>)
  // CHECK: tensor.extract %[[PAIRS]][%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : tensor<3x4x16x2xbf16>
  // CHECK: ingot.linear ins(%{{.*}}, %[[PAIRS]]
  %y = ingot.linear ins(%x, %w : tensor<?x8xbf16>, tensor<8x40xbf16>) outs(%init : tensor<?x40xbf16>) -> tensor<?x40xbf16>
  return %y : tensor<?x40xbf16>
}
