// RUN: ingot-opt %s -split-input-file -verify-diagnostics

func.func @r0(%x: tensor<2x64xf32>, %o: tensor<2x2x18xi32>) -> tensor<2x2x18xi32> {
  // expected-error @+1 {{has activations of 12 bits instead of 8, 16, 24 or 32}}
  %0 = ingot.quantize_rows ins(%x : tensor<2x64xf32>) outs(%o : tensor<2x2x18xi32>) {activation_bits = 12, weight_bits = 4, block = 32} -> tensor<2x2x18xi32>
  return %0 : tensor<2x2x18xi32>
}

// -----

func.func @r1(%x: tensor<2x64xf32>, %o: tensor<2x2x18xi32>) -> tensor<2x2x18xi32> {
  // expected-error @+1 {{has weights of 3 bits instead of 2, 4 or 8}}
  %0 = ingot.quantize_rows ins(%x : tensor<2x64xf32>) outs(%o : tensor<2x2x18xi32>) {activation_bits = 16, weight_bits = 3, block = 32} -> tensor<2x2x18xi32>
  return %0 : tensor<2x2x18xi32>
}

// -----

func.func @r2(%x: tensor<2x64xf32>, %o: tensor<2x2x18xi32>) -> tensor<2x2x18xi32> {
  // expected-error @+1 {{has blocks of 24 instead of a power of two from 16 to 256}}
  %0 = ingot.quantize_rows ins(%x : tensor<2x64xf32>) outs(%o : tensor<2x2x18xi32>) {activation_bits = 16, weight_bits = 4, block = 24} -> tensor<2x2x18xi32>
  return %0 : tensor<2x2x18xi32>
}

// -----

func.func @r3(%x: tensor<2x64xf16>, %o: tensor<2x2x18xi32>) -> tensor<2x2x18xi32> {
  // expected-error @+1 {{instead of rows of f32}}
  %0 = ingot.quantize_rows ins(%x : tensor<2x64xf16>) outs(%o : tensor<2x2x18xi32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x2x18xi32>
  return %0 : tensor<2x2x18xi32>
}

// -----

func.func @r4(%x: tensor<2x64xf32>, %o: tensor<2x2x10xi32>) -> tensor<2x2x10xi32> {
  // expected-error @+1 {{has a destination of type}}
  %0 = ingot.quantize_rows ins(%x : tensor<2x64xf32>) outs(%o : tensor<2x2x10xi32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x2x10xi32>
  return %0 : tensor<2x2x10xi32>
}

// -----

func.func @p5(%x: tensor<2x2x10xi32>, %w: tensor<1x2x4x16xi32>, %s: tensor<1x2x16xf32>, %o: tensor<2x9xf32>) -> tensor<2x9xf32> {
  // expected-error @+1 {{has rows of type}}
  %0 = ingot.quantized_linear ins(%x, %w, %s : tensor<2x2x10xi32>, tensor<1x2x4x16xi32>, tensor<1x2x16xf32>) outs(%o : tensor<2x9xf32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

func.func @p6(%x: tensor<2x2x18xi32>, %w: tensor<1x3x4x16xi32>, %s: tensor<1x2x16xf32>, %o: tensor<2x9xf32>) -> tensor<2x9xf32> {
  // expected-error @+1 {{has codes of type}}
  %0 = ingot.quantized_linear ins(%x, %w, %s : tensor<2x2x18xi32>, tensor<1x3x4x16xi32>, tensor<1x2x16xf32>) outs(%o : tensor<2x9xf32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

func.func @p7(%x: tensor<2x2x18xi32>, %w: tensor<1x2x4x16xi32>, %s: tensor<1x2x16xi32>, %o: tensor<2x9xf32>) -> tensor<2x9xf32> {
  // expected-error @+1 {{has scales of}}
  %0 = ingot.quantized_linear ins(%x, %w, %s : tensor<2x2x18xi32>, tensor<1x2x4x16xi32>, tensor<1x2x16xi32>) outs(%o : tensor<2x9xf32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

func.func @p8(%x: tensor<2x2x18xi32>, %w: tensor<1x2x4x16xi32>, %s: tensor<2x2x16xf32>, %o: tensor<2x9xf32>) -> tensor<2x9xf32> {
  // expected-error @+1 {{has scales of type}}
  %0 = ingot.quantized_linear ins(%x, %w, %s : tensor<2x2x18xi32>, tensor<1x2x4x16xi32>, tensor<2x2x16xf32>) outs(%o : tensor<2x9xf32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

func.func @p9(%x: tensor<2x2x18xi32>, %w: tensor<1x2x4x16xi32>, %s: tensor<1x2x16xf32>, %z: tensor<1x2x16xi32>, %o: tensor<2x9xf32>) -> tensor<2x9xf32> {
  // expected-error @+1 {{has zero points of}}
  %0 = ingot.quantized_linear ins(%x, %w, %s, %z : tensor<2x2x18xi32>, tensor<1x2x4x16xi32>, tensor<1x2x16xf32>, tensor<1x2x16xi32>) outs(%o : tensor<2x9xf32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

func.func @p10(%x: tensor<2x2x18xi32>, %w: tensor<1x2x4x16xi32>, %s: tensor<1x2x16xf32>, %z: tensor<1x1x16xi8>, %o: tensor<2x9xf32>) -> tensor<2x9xf32> {
  // expected-error @+1 {{has zero points of type}}
  %0 = ingot.quantized_linear ins(%x, %w, %s, %z : tensor<2x2x18xi32>, tensor<1x2x4x16xi32>, tensor<1x2x16xf32>, tensor<1x1x16xi8>) outs(%o : tensor<2x9xf32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

func.func @p11(%x: tensor<2x2x18xi32>, %w: tensor<1x2x4x16xi32>, %s: tensor<1x2x16xf32>, %o: tensor<2x17xf32>) -> tensor<2x17xf32> {
  // expected-error @+1 {{has a destination of type}}
  %0 = ingot.quantized_linear ins(%x, %w, %s : tensor<2x2x18xi32>, tensor<1x2x4x16xi32>, tensor<1x2x16xf32>) outs(%o : tensor<2x17xf32>) {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<2x17xf32>
  return %0 : tensor<2x17xf32>
}

// -----

func.func @undivided(%x: tensor<?x40xf32>, %w: tensor<3x2x8x16xi32>, %s: tensor<3x1x16xf32>, %i: tensor<?x40xf32>) -> tensor<?x40xf32> {
  // expected-error @+1 {{has rows of 40 floats, which blocks of 32 do not divide}}
  %0 = ingot.quantized_linear ins(%x, %w, %s : tensor<?x40xf32>, tensor<3x2x8x16xi32>, tensor<3x1x16xf32>) outs(%i : tensor<?x40xf32>) {activation_bits = 32, weight_bits = 8, block = 32} -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}
