// RUN: ingot-opt %s -split-input-file -verify-diagnostics

func.func @reshape_count(%x: tensor<6xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{changes the number of elements from 6 to 4}}
  %0 = ingot.reshape %x to <4> : (tensor<6xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @reshape_type(%x: tensor<6xf32>) -> tensor<6xf32> {
  // expected-error @+2 {{incompatible with return type(s)}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ingot.reshape %x to <2, 3> : (tensor<6xf32>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}

// -----

func.func @transpose(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  // expected-error @+2 {{operand shapes and attributes do not fit together}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ingot.transpose %x by [1, 1] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

func.func @broadcast(%x: tensor<3xf32>) -> tensor<4xf32> {
  // expected-error @+2 {{operand shapes and attributes do not fit together}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ingot.broadcast_to %x to <4> : (tensor<3xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @concat(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<4x3xf32> {
  // expected-error @+2 {{operand shapes and attributes do not fit together}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ingot.concat %x, %y {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

func.func @slice_starts(%x: tensor<4x4xf32>) -> tensor<2x2xf32> {
  // expected-error @+1 {{has 1 starts for an operand of rank 2}}
  %0 = ingot.slice %x from <0> size <2, 2> step [1, 1] : (tensor<4x4xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @slice_steps(%x: tensor<4x4xf32>) -> tensor<2x2xf32> {
  // expected-error @+1 {{has 1 steps for an operand of rank 2}}
  %0 = ingot.slice %x from <0, 0> size <2, 2> step [1] : (tensor<4x4xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @slice_zero_step(%x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{has a step of zero}}
  %0 = ingot.slice %x from <0> size <2> step [0] : (tensor<4xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @slice_sizes(%x: tensor<4xf32>) -> tensor<2x2xf32> {
  // expected-error @+1 {{has 2 sizes for an operand of rank 1}}
  %0 = ingot.slice %x from <0> size <2, 2> step [1] : (tensor<4xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @pad(%x: tensor<4xf32>, %v: tensor<f32>) -> tensor<6xf32> {
  // expected-error @+1 {{has a value but its mode is not 'constant'}}
  %0 = ingot.pad %x, %v {low = #ingot.dims<1>, high = #ingot.dims<1>, mode = #ingot.pad<edge>} : (tensor<4xf32>, tensor<f32>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}

// -----

func.func @trilu(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{needs a tensor of rank 2 or more}}
  %0 = ingot.trilu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @range(%x: tensor<1xi64>, %y: tensor<i64>) -> tensor<4xi64> {
  // expected-error @+1 {{has a start or step that is not a scalar}}
  %0 = ingot.range %x, %y size <4> : (tensor<1xi64>, tensor<i64>) -> tensor<4xi64>
  return %0 : tensor<4xi64>
}

// -----

func.func @embedding(%t: tensor<4x8xf32>, %i: tensor<2xf32>) -> tensor<2x8xf32> {
  // expected-error @+1 {{has indices that are not integers}}
  %0 = ingot.embedding %t, %i : (tensor<4x8xf32>, tensor<2xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// -----

func.func @gather_elements(%t: tensor<4x8xf32>, %i: tensor<2xi64>) -> tensor<2xf32> {
  // expected-error @+1 {{has operands of different ranks}}
  %0 = ingot.gather_elements %t, %i {axis = 0 : i64} : (tensor<4x8xf32>, tensor<2xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @gather_elements_axis(%t: tensor<4xf32>, %i: tensor<2xi64>) -> tensor<2xf32> {
  // expected-error @+1 {{has axis 1 but the operand has rank 1}}
  %0 = ingot.gather_elements %t, %i {axis = 1 : i64} : (tensor<4xf32>, tensor<2xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @scatter_elements(%t: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<1x2xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{has operands of different ranks}}
  %0 = ingot.scatter_elements %t, %i, %u {axis = 0 : i64} : (tensor<4xf32>, tensor<2xi64>, tensor<1x2xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @scatter_nd(%t: tensor<4xf32>, %i: tensor<2x?xi64>, %u: tensor<2xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{needs indices whose last dim is constant}}
  %0 = ingot.scatter_nd %t, %i, %u : (tensor<4xf32>, tensor<2x?xi64>, tensor<2xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @write_rows_axis(%x: tensor<2x4xf32>, %u: tensor<2x1xf32>, %at: tensor<2xi64>) -> tensor<2x4xf32> {
  // expected-error @+1 {{writes along the dim of its rows}}
  %0 = ingot.write_rows %x, %u, %at {axis = 0 : i64} : (tensor<2x4xf32>, tensor<2x1xf32>, tensor<2xi64>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @write_rows_shape(%x: tensor<2x4x3xf32>, %u: tensor<2x1x5xf32>, %at: tensor<2xi64>) -> tensor<2x4x3xf32> {
  // expected-error @+1 {{writes 'tensor<2x1x5xf32>' into 'tensor<2x4x3xf32>'}}
  %0 = ingot.write_rows %x, %u, %at {axis = 1 : i64} : (tensor<2x4x3xf32>, tensor<2x1x5xf32>, tensor<2xi64>) -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}

// -----

func.func @write_rows_at(%x: tensor<2x4xf32>, %u: tensor<2x1xf32>, %at: tensor<3xi64>) -> tensor<2x4xf32> {
  // expected-error @+1 {{needs one i64 for each row of 'tensor<2x4xf32>', not 'tensor<3xi64>'}}
  %0 = ingot.write_rows %x, %u, %at {axis = 1 : i64} : (tensor<2x4xf32>, tensor<2x1xf32>, tensor<3xi64>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @rope_table(%x: tensor<1x2x3x8xf32>, %c: tensor<1x1x3x5xf32>) -> tensor<1x2x3x8xf32> {
  // expected-error @+1 {{rotates 'tensor<1x2x3x8xf32>' by 'tensor<1x1x3x5xf32>'}}
  %0 = ingot.rope %x, %c, %c : (tensor<1x2x3x8xf32>, tensor<1x1x3x5xf32>, tensor<1x1x3x5xf32>) -> tensor<1x2x3x8xf32>
  return %0 : tensor<1x2x3x8xf32>
}

// -----

func.func @rope_type(%x: tensor<1x8xi32>) -> tensor<1x8xi32> {
  // expected-error @+1 {{rotates 'tensor<1x8xi32>'}}
  %0 = ingot.rope %x, %x, %x : (tensor<1x8xi32>, tensor<1x8xi32>, tensor<1x8xi32>) -> tensor<1x8xi32>
  return %0 : tensor<1x8xi32>
}
