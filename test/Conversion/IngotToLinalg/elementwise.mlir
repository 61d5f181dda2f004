// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

ingot.dim @n

// A vector is read along the last dim; a unit dim is dropped; a constant is in
// the body.
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[COLUMN]], #[[ID]]]
// CHECK: tensor.collapse_shape %arg2 {{\[\[}}0, 1]] : tensor<?x1xf32> into tensor<?xf32>
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ID]]]
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ID]]]
// CHECK: arith.mulf %in, %cst
func.func @broadcast(%x: tensor<?x4xf32> {ingot.dims = #ingot.dims<n, 4>}, %y: tensor<4xf32>,
                     %z: tensor<?x1xf32> {ingot.dims = #ingot.dims<n, 1>}) -> tensor<?x4xf32> {
  %two = ingot.constant dense<2.0> : tensor<1xf32>
  %0 = ingot.add %x, %y : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %1 = ingot.sub %0, %z : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %2 = ingot.mul %1, %two : (tensor<?x4xf32>, tensor<1xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// -----

ingot.dim @a
ingot.dim @b

// It is decided at run time which of the two is repeated.
// CHECK-LABEL: func.func @undecided
// CHECK: %[[A:.*]] = ingot.size <a>
// CHECK: %[[ONE:.*]] = arith.cmpi eq, %[[A]], %c1
// CHECK: ingot.check %{{.*}}, "operands do not broadcast in 'sum'"
// CHECK: %[[FACTOR:.*]] = arith.select %[[ONE]], %c0, %c1
// CHECK: linalg.generic
// CHECK: %[[I:.*]] = linalg.index 0
// CHECK: %[[AT:.*]] = arith.muli %[[I]], %[[FACTOR]]
// CHECK: tensor.extract %arg0[%[[AT]]]
func.func @undecided(%x: tensor<?xf32> {ingot.dims = #ingot.dims<a>},
                     %y: tensor<?xf32> {ingot.dims = #ingot.dims<b>}) -> tensor<?xf32> {
  %0 = ingot.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32> loc("sum")
  return %0 : tensor<?xf32>
}

// -----

// Booleans are bytes; unsigned integers keep their meaning, short floats are
// computed with in f32.
// CHECK-LABEL: func.func @types
// CHECK-SAME: %arg0: tensor<4xi8> {ingot.type = i1}, %arg1: tensor<4xi8> {ingot.type = ui8}
// CHECK: arith.cmpi eq, %in, %c0_i8
// CHECK: arith.extui %{{.*}} : i1 to i8
// CHECK: arith.divui
// CHECK: arith.extf
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.truncf
func.func @types(%x: tensor<4xi1>, %y: tensor<4xui8>, %z: tensor<4xbf16>) -> (tensor<4xi1>, tensor<4xui8>, tensor<4xbf16>) {
  %0 = ingot.not %x : (tensor<4xi1>) -> tensor<4xi1>
  %1 = ingot.div %y, %y : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %2 = ingot.exp %z : (tensor<4xbf16>) -> tensor<4xbf16>
  return %0, %1, %2 : tensor<4xi1>, tensor<4xui8>, tensor<4xbf16>
}
