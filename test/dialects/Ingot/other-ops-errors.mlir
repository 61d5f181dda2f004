// RUN: ingot-opt %s -split-input-file -verify-diagnostics

func.func @broadcast(%x: tensor<3xf32>, %y: tensor<4xf32>) {
  // expected-error @+2 {{operand shapes and attributes do not fit together}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ingot.add %x, %y : (tensor<3xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @reduce_axis(%x: tensor<3xf32>) {
  // expected-error @+1 {{has axis 1 but the operand has rank 1}}
  %0 = ingot.reduce <sum> %x axes [1] : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @reduce_sorted(%x: tensor<3x3xf32>) {
  // expected-error @+1 {{has axes that are not sorted and distinct}}
  %0 = ingot.reduce <sum> %x axes [1, 0] : (tensor<3x3xf32>) -> tensor<f32>
  return
}

// -----

func.func @arg_max(%x: tensor<3xf32>) {
  // expected-error @+1 {{has axis 1 but the operand has rank 1}}
  %0 = ingot.arg_max %x {axis = 1 : i64} : (tensor<3xf32>) -> tensor<3xi64>
  return
}

// -----

func.func @cum_sum(%x: tensor<3xf32>) {
  // expected-error @+1 {{has axis 1 but the operand has rank 1}}
  %0 = ingot.cum_sum %x {axis = 1 : i64} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @top_k(%x: tensor<3xf32>) {
  // expected-error @+1 {{has axis 1 but the operand has rank 1}}
  %0 = ingot.top_k_values %x {axis = 1 : i64, k = #ingot.dims<2>} : (tensor<3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @conv_group(%x: tensor<1x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{has a group count that is not positive}}
  %0 = ingot.conv %x, %w strides [1] dilations [1] pads [0, 0] group 0 : (tensor<1x3x8xf32>, tensor<4x3x3xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @conv_channels(%x: tensor<1x3x8xf32>, %w: tensor<4x2x3xf32>) {
  // expected-error @+1 {{has 3 input channels, but 2 per group and 1 groups}}
  %0 = ingot.conv %x, %w strides [1] dilations [1] pads [0, 0] group 1 : (tensor<1x3x8xf32>, tensor<4x2x3xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @pool(%x: tensor<1x3x8xf32>) {
  // expected-error @+1 {{has a kernel extent that is not positive}}
  %0 = ingot.pool <max> %x {kernel = array<i64: 0>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x3x8xf32>) -> tensor<1x3x9xf32>
  return
}

// -----

func.func @dequantize_zero_point(%c: tensor<4x4xi8>, %s: tensor<4xf32>, %z: tensor<2xi8>) {
  // expected-error @+1 {{has a zero point whose shape is not that of the scale}}
  %0 = ingot.dequantize %c, %s, %z : (tensor<4x4xi8>, tensor<4xf32>, tensor<2xi8>) -> tensor<4x4xf32>
  return
}

// -----

func.func @dequantize_block(%c: tensor<4x4xi8>, %s: tensor<4xf32>) {
  // expected-error @+1 {{is blocked, but the scale has rank 1 instead of 2}}
  %0 = ingot.dequantize %c, %s {block_size = 2 : i64} : (tensor<4x4xi8>, tensor<4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @dequantize_blocks(%c: tensor<5x4xi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{has a scale of 2 elements along dim 0 instead of 3}}
  %0 = ingot.dequantize %c, %s {axis = 0 : i64, block_size = 2 : i64} : (tensor<5x4xi8>, tensor<2x4xf32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @dequantize_vector(%c: tensor<5x4xi8>, %s: tensor<5xf32>) {
  // expected-error @+1 {{has a scale of 5 elements along dim 0 instead of 4}}
  %0 = ingot.dequantize %c, %s {axis = 1 : i64} : (tensor<5x4xi8>, tensor<5xf32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @dequantize_negative(%c: tensor<4x4xi8>, %s: tensor<4xf32>) {
  // expected-error @+1 {{has a negative block size}}
  %0 = ingot.dequantize %c, %s {block_size = -2 : i64} : (tensor<4x4xi8>, tensor<4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @dequantize_rank(%c: tensor<4x4xi8>, %s: tensor<4x1xf32>) {
  // expected-error @+1 {{has a scale of rank 2 without a block size}}
  %0 = ingot.dequantize %c, %s : (tensor<4x4xi8>, tensor<4x1xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @dequantize_axis(%c: tensor<4xi8>, %s: tensor<4xf32>) {
  // expected-error @+1 {{has axis 1 but the operand has rank 1}}
  %0 = ingot.dequantize %c, %s : (tensor<4xi8>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @dequantize_codes(%c: tensor<4xcomplex<f32>>, %s: tensor<f32>) {
  // expected-error @+1 {{has codes that are neither integers nor floats}}
  %0 = ingot.dequantize %c, %s : (tensor<4xcomplex<f32>>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func @quantize_type(%x: tensor<4xf32>, %s: tensor<f32>) {
  // expected-error @+1 {{quantizes to 'f16', which is no integer type}}
  %0 = ingot.quantize %x, %s {to = f16} : (tensor<4xf32>, tensor<f32>) -> tensor<4xf16>
  return
}
