// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// RUN: ingot-opt %s --convert-ingot-to-linalg=bfloat-products --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=BF16

ingot.dim @batch
ingot.dim @seq
ingot.weight @w : tensor<384x64xf32> in "m.onnx" at 0 length 98304

// Rows are one dim, the weight is packed by tensor ops, the bias stays.
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.*]] = ingot.weight_ref @w
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]]
// CHECK: %[[SPLIT:.*]] = tensor.expand_shape %[[W]] {{\[\[}}0], [1, 2]] output_shape [384, 4, 16]
// CHECK: %[[PACKED:.*]] = linalg.generic {{.*}} ins(%[[SPLIT]]
// CHECK: ingot.size <batch * seq>
// CHECK: ingot.linear ins(%{{.*}}, %[[PACKED]], %{{.*}} : tensor<?x384xf32>, tensor<4x384x16xf32>, tensor<64xf32>)
// CHECK-NOT: arith.addf
// CHECK: tensor.expand_shape
func.func @main(%x: tensor<?x?x384xf32> {ingot.dims = #ingot.dims<batch, seq, 384>},
                %b: tensor<64xf32>) -> tensor<?x?x64xf32> {
  %w = ingot.weight_ref @w : tensor<384x64xf32>
  %m = ingot.size <batch>
  %n = ingot.size <seq>
  %i = tensor.empty(%m, %n) : tensor<?x?x64xf32>
  %0 = ingot.linear ins(%x, %w, %b : tensor<?x?x384xf32>, tensor<384x64xf32>, tensor<64xf32>) outs(%i : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  return %0 : tensor<?x?x64xf32>
}

// -----

ingot.dim @n

// Columns that do not fill a panel are padded with zeros.
// CHECK-LABEL: func.func @padded
// CHECK: tensor.empty() : tensor<2x8x16xf32>
// CHECK: arith.cmpi ult
// CHECK: tensor.extract
// CHECK: arith.select
// CHECK: ingot.linear
func.func @padded(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<n, 8>}, %w: tensor<8x20xf32>) -> tensor<?x20xf32> {
  %m = ingot.size <n>
  %i = tensor.empty(%m) : tensor<?x20xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x20xf32>) outs(%i : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %0 : tensor<?x20xf32>
}

// -----

ingot.dim @b
ingot.dim @s

// Batch dims become one.
// CHECK-LABEL: func.func @scores
// CHECK: ingot.size <b * 12>
// CHECK: ingot.matmul ins({{.*}} : tensor<?x?x32xf32>, tensor<?x32x?xf32>)
func.func @scores(%q: tensor<?x12x?x32xf32> {ingot.dims = #ingot.dims<b, 12, s, 32>},
                  %k: tensor<?x12x32x?xf32> {ingot.dims = #ingot.dims<b, 12, 32, s>}) -> tensor<?x12x?x?xf32> {
  %m = ingot.size <b>
  %n = ingot.size <s>
  %i = tensor.empty(%m, %n, %n) : tensor<?x12x?x?xf32>
  %0 = ingot.matmul ins(%q, %k : tensor<?x12x?x32xf32>, tensor<?x12x32x?xf32>) outs(%i : tensor<?x12x?x?xf32>) -> tensor<?x12x?x?xf32>
  return %0 : tensor<?x12x?x?xf32>
}

// -----

// Integers are multiplied by a plain contraction in the type of the result.
// CHECK-LABEL: func.func @integers
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.muli
func.func @integers(%a: tensor<2x3xui8>, %b: tensor<3x4xi8>) -> tensor<2x4xi32> {
  %i = tensor.empty() : tensor<2x4xi32>
  %0 = ingot.matmul ins(%a, %b : tensor<2x3xui8>, tensor<3x4xi8>) outs(%i : tensor<2x4xi32>) -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}

// -----

ingot.dim @b

// A stack times one matrix is a product of rows, whatever its rank.
// CHECK-LABEL: func.func @stack
// CHECK-NOT: ingot.matmul
// CHECK: ingot.linear ins({{.*}} : tensor<?x8xf32>, tensor<1x8x16xf32>)
func.func @stack(%x: tensor<?x3x8xf32> {ingot.dims = #ingot.dims<b, 3, 8>}, %w: tensor<8x16xf32>) -> tensor<?x3x16xf32> {
  %m = ingot.size <b>
  %i = tensor.empty(%m) : tensor<?x3x16xf32>
  %0 = ingot.matmul ins(%x, %w : tensor<?x3x8xf32>, tensor<8x16xf32>) outs(%i : tensor<?x3x16xf32>) -> tensor<?x3x16xf32>
  return %0 : tensor<?x3x16xf32>
}

// -----

ingot.dim @n

// Weights of bf16 are packed in pairs along K. What they multiply is of f32,
// or stays bf16 for a target that multiplies pairs.
// CHECK-LABEL: func.func @bfloats
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: tensor.expand_shape {{.*}} output_shape [4, 2, 2, 16] : tensor<8x32xbf16>
// CHECK: ingot.linear ins(%{{.*}} : tensor<?x8xf32>, tensor<2x4x16x2xbf16>)
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// BF16-LABEL: func.func @bfloats
// BF16-NOT: arith.extf
// BF16: ingot.linear ins(%{{.*}} : tensor<?x8xbf16>, tensor<2x4x16x2xbf16>)
func.func @bfloats(%x: tensor<?x8xbf16> {ingot.dims = #ingot.dims<n, 8>}, %w: tensor<8x32xbf16>) -> tensor<?x32xbf16> {
  %m = ingot.size <n>
  %i = tensor.empty(%m) : tensor<?x32xbf16>
  %0 = ingot.linear ins(%x, %w : tensor<?x8xbf16>, tensor<8x32xbf16>) outs(%i : tensor<?x32xbf16>) -> tensor<?x32xbf16>
  return %0 : tensor<?x32xbf16>
}

// -----

ingot.dim @n

// The same where the model has widened both; an odd K and a part of a panel are
// padded.
// BF16-LABEL: func.func @widened
// BF16: tensor.empty() : tensor<2x4x16x2xbf16>
// BF16: arith.andi
// BF16: ingot.linear ins(%{{.*}} : tensor<?x7xbf16>, tensor<2x4x16x2xbf16>)
func.func @widened(%x: tensor<?x7xbf16> {ingot.dims = #ingot.dims<n, 7>}, %w: tensor<20x7xbf16>) -> tensor<?x20xf32> {
  %m = ingot.size <n>
  %i = tensor.empty(%m) : tensor<?x20xf32>
  %wide = ingot.cast %x {to = f32} : (tensor<?x7xbf16>) -> tensor<?x7xf32>
  %t = ingot.transpose %w by [1, 0] : (tensor<20x7xbf16>) -> tensor<7x20xbf16>
  %v = ingot.cast %t {to = f32} : (tensor<7x20xbf16>) -> tensor<7x20xf32>
  %0 = ingot.linear ins(%wide, %v : tensor<?x7xf32>, tensor<7x20xf32>) outs(%i : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %0 : tensor<?x20xf32>
}

// -----

ingot.dim @n

// Floats are never rounded to bf16.
// BF16-LABEL: func.func @floats
// BF16-NOT: bf16
// BF16: ingot.linear ins(%{{.*}} : tensor<?x8xf32>, tensor<2x8x16xf32>)
func.func @floats(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<n, 8>}, %w: tensor<8x32xf32>) -> tensor<?x32xf32> {
  %m = ingot.size <n>
  %i = tensor.empty(%m) : tensor<?x32xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x32xf32>) outs(%i : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
