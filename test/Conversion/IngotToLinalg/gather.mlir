// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

ingot.dim @n

// Negative ids count from the end; one out of range is reported and harmless.
// CHECK-LABEL: func.func @embed
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<?xi64>)
// CHECK: %[[AT:.*]] = arith.index_cast %in : i64 to index
// CHECK: %[[OK:.*]] = arith.cmpi ult
// CHECK: ingot.check %[[OK]], "index out of range in 'words'"
// CHECK: %[[SAFE:.*]] = arith.select %[[OK]]
// CHECK: tensor.extract %arg1[%[[SAFE]], %{{.*}}]
func.func @embed(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<n>}, %t: tensor<100x8xf32>) -> tensor<?x8xf32> {
  %0 = ingot.embedding %t, %ids : (tensor<100x8xf32>, tensor<?xi64>) -> tensor<?x8xf32> loc("words")
  return %0 : tensor<?x8xf32>
}

// -----

ingot.dim @n

// Of a quantized table only the chosen rows are dequantized.
// CHECK-LABEL: func.func @quantized
// CHECK: tensor.extract %arg1{{.*}} : tensor<100x8xi8>
// CHECK: arith.sitofp %{{.*}} : i8 to f32
func.func @quantized(%ids: tensor<?xi64> {ingot.dims = #ingot.dims<n>}, %t: tensor<100x8xi8>, %s: tensor<f32>) -> tensor<?x8xf32> {
  %0 = ingot.dequantize %t, %s : (tensor<100x8xi8>, tensor<f32>) -> tensor<100x8xf32>
  %1 = ingot.embedding %0, %ids : (tensor<100x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @others
// CHECK: tensor.extract %arg0{{.*}} : tensor<4x5xf32>
// CHECK: tensor.extract %arg0{{.*}} : tensor<4x5xf32>
// CHECK: tensor.extract %arg0{{.*}} : tensor<4x5xf32>
func.func @others(%x: tensor<4x5xf32>, %i: tensor<2xi32>, %j: tensor<4x2xi64>, %k: tensor<3x2xi64>) -> (tensor<4x2xf32>, tensor<4x2xf32>, tensor<3xf32>) {
  %0 = ingot.gather %x, %i {axis = 1 : i64} : (tensor<4x5xf32>, tensor<2xi32>) -> tensor<4x2xf32>
  %1 = ingot.gather_elements %x, %j {axis = 1 : i64} : (tensor<4x5xf32>, tensor<4x2xi64>) -> tensor<4x2xf32>
  %2 = ingot.gather_nd %x, %k : (tensor<4x5xf32>, tensor<3x2xi64>) -> tensor<3xf32>
  return %0, %1, %2 : tensor<4x2xf32>, tensor<4x2xf32>, tensor<3xf32>
}

// -----

// Each element looks at all updates in order.
// CHECK-LABEL: func.func @scatter
// CHECK: linalg.generic
// CHECK: scf.for
// CHECK: scf.if
// CHECK: linalg.generic
// CHECK: scf.for
// CHECK: arith.addf
func.func @scatter(%x: tensor<4x5xf32>, %i: tensor<4x2xi64>, %u: tensor<4x2xf32>, %j: tensor<3x1xi64>, %v: tensor<3x5xf32>) -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %0 = ingot.scatter_elements %x, %i, %u {axis = 1 : i64} : (tensor<4x5xf32>, tensor<4x2xi64>, tensor<4x2xf32>) -> tensor<4x5xf32>
  %1 = ingot.scatter_nd %x, %j, %v {reduction = #ingot.scatter<add>} : (tensor<4x5xf32>, tensor<3x1xi64>, tensor<3x5xf32>) -> tensor<4x5xf32>
  return %0, %1 : tensor<4x5xf32>, tensor<4x5xf32>
}

// -----

ingot.dim @b
ingot.dim @s

// Where a row begins is checked once; what is not written is read from x.
// CHECK-LABEL: func.func @write
// CHECK: ingot.check {{.*}}, "position out of range in 'keep'"
// CHECK: scf.if
// CHECK-NEXT: tensor.extract %arg1
// CHECK: tensor.extract %arg0
func.func @write(%x: tensor<?x9x4xf32> {ingot.dims = #ingot.dims<b, 9, 4>}, %u: tensor<?x?x4xf32> {ingot.dims = #ingot.dims<b, s, 4>}, %at: tensor<?xi64> {ingot.dims = #ingot.dims<b>}) -> tensor<?x9x4xf32> {
  %0 = ingot.write_rows %x, %u, %at {axis = 1 : i64} : (tensor<?x9x4xf32>, tensor<?x?x4xf32>, tensor<?xi64>) -> tensor<?x9x4xf32> loc("keep")
  return %0 : tensor<?x9x4xf32>
}
