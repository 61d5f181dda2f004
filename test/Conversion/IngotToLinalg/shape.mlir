// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

ingot.dim @b
ingot.dim @s

// Heads are split by an expansion, joined by a collapse.
// CHECK-LABEL: func.func @heads
// CHECK: tensor.expand_shape %arg0 {{\[\[}}0], [1], [2, 3]]
// CHECK: linalg.generic
// CHECK: tensor.collapse_shape {{.*}} {{\[\[}}0, 1], [2], [3]]
func.func @heads(%x: tensor<?x?x384xf32> {ingot.dims = #ingot.dims<b, s, 384>}) -> tensor<?x?x32xf32> {
  %0 = ingot.reshape %x to <b, s, 12, 32> : (tensor<?x?x384xf32>) -> tensor<?x?x12x32xf32>
  %1 = ingot.transpose %0 by [0, 2, 1, 3] : (tensor<?x?x12x32xf32>) -> tensor<?x12x?x32xf32>
  %2 = ingot.reshape %1 to <b * 12, s, 32> : (tensor<?x12x?x32xf32>) -> tensor<?x?x32xf32>
  return %2 : tensor<?x?x32xf32>
}

// -----

ingot.dim @a
ingot.dim @b

// Counts that are not provably equal are compared at run time.
// CHECK-LABEL: func.func @unproven
// CHECK: ingot.check %{{.*}}, "shapes of different sizes in 'ingot.reshape'"
// CHECK: tensor.collapse_shape
// CHECK: tensor.expand_shape
func.func @unproven(%x: tensor<?x3xf32> {ingot.dims = #ingot.dims<a, 3>}) -> tensor<?x5xf32> {
  %0 = ingot.reshape %x to <b, 5> : (tensor<?x3xf32>) -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}

// -----

ingot.dim @n {min = 1 : i64}

// CHECK-LABEL: func.func @slices
// CHECK: tensor.extract_slice %arg0[1, 0] [2, %{{.*}}] [2, 1]
// CHECK: tensor.extract %arg0
func.func @slices(%x: tensor<6x?xf32> {ingot.dims = #ingot.dims<6, n>}) -> (tensor<2x?xf32>, tensor<6x?xf32>) {
  %0 = ingot.slice %x from <1, 0> size <2, n> step [2, 1] : (tensor<6x?xf32>) -> tensor<2x?xf32>
  %1 = ingot.slice %x from <5, 0> size <6, n> step [-1, 1] : (tensor<6x?xf32>) -> tensor<6x?xf32>
  return %0, %1 : tensor<2x?xf32>, tensor<6x?xf32>
}

// -----

ingot.dim @n

// CHECK-LABEL: func.func @join
// CHECK: %[[N:.*]] = ingot.size <n * 2>
// CHECK: tensor.insert_slice %arg0 into %{{.*}}[0, 0]
// CHECK: tensor.insert_slice %arg0 into %{{.*}}[%{{.*}}, 0]
func.func @join(%x: tensor<?x4xf32> {ingot.dims = #ingot.dims<n, 4>}) -> tensor<?x4xf32> {
  %0 = ingot.concat %x, %x {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Repetitions are dims of their own; constants that are alike are a fill.
// CHECK-LABEL: func.func @tile
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<3x2x4xf32>)
// CHECK: tensor.collapse_shape
// CHECK-LABEL: func.func @pad
// CHECK: linalg.fill
// CHECK: tensor.insert_slice %arg0 into %{{.*}}[1, 0] [2, 4] [1, 1]
// CHECK: arith.minsi
// CHECK: tensor.extract
func.func @tile(%x: tensor<2x4xf32>) -> tensor<6x4xf32> {
  %0 = ingot.tile %x {repeats = #ingot.dims<3, 1>} : (tensor<2x4xf32>) -> tensor<6x4xf32>
  return %0 : tensor<6x4xf32>
}
func.func @pad(%x: tensor<2x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = ingot.pad %x {low = #ingot.dims<1, 0>, high = #ingot.dims<1, 0>} : (tensor<2x4xf32>) -> tensor<4x4xf32>
  %1 = ingot.pad %x {low = #ingot.dims<1, 0>, high = #ingot.dims<1, 0>, mode = #ingot.pad<reflect>} : (tensor<2x4xf32>) -> tensor<4x4xf32>
  return %0, %1 : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

ingot.dim @n

// CHECK-LABEL: func.func @made
// CHECK: arith.sitofp
// CHECK: arith.addf
// CHECK: linalg.index 1
// CHECK: arith.cmpi sge
// CHECK: arith.cmpi eq
// CHECK: tensor.extract %arg1
func.func @made(%x: tensor<3x3xf32>, %v: tensor<2xf32>, %i: tensor<4xi64>) -> (tensor<?xf32>, tensor<3x3xf32>, tensor<4x5xf32>) {
  %start = ingot.constant dense<1.0> : tensor<f32>
  %0 = ingot.range %start, %start size <n> : (tensor<f32>, tensor<f32>) -> tensor<?xf32>
  %1 = ingot.trilu %x : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %2 = ingot.one_hot %i, %v {depth = #ingot.dims<5>, axis = 1 : i64} : (tensor<4xi64>, tensor<2xf32>) -> tensor<4x5xf32>
  return %0, %1, %2 : tensor<?xf32>, tensor<3x3xf32>, tensor<4x5xf32>
}

// -----

ingot.dim @n

// Sizes as data.
// CHECK-LABEL: func.func @sizes
// CHECK: %[[N:.*]] = ingot.size <n + 1>
// CHECK: arith.index_cast %[[N]] : index to i64
func.func @sizes(%x: tensor<?xf32> {ingot.dims = #ingot.dims<n>}) -> tensor<2xi64> {
  %0 = ingot.from_dims <n + 1, 7> : tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

// Nothing is read for a slice behind the last element.
// CHECK-LABEL: func.func @nothing
// CHECK-NEXT: tensor.empty() : tensor<2x0xf32>
// CHECK-NEXT: return
func.func @nothing(%x: tensor<2x4xf32>) -> tensor<2x0xf32> {
  %0 = ingot.slice %x from <0, 4> size <2, 0> step [1, 1] : (tensor<2x4xf32>) -> tensor<2x0xf32>
  return %0 : tensor<2x0xf32>
}
