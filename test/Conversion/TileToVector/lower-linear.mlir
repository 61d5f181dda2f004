// RUN: ingot-opt %s --ingot-lower-linear --split-input-file | FileCheck %s
// RUN: ingot-opt %s --ingot-lower-linear=target=x86-64-v4 --split-input-file | FileCheck %s --check-prefix=WIDE

// Six rows of one panel in registers; of four with AVX-512, where columns come
// in so many.
// CHECK-LABEL: func @packed
// WIDE-LABEL: func @packed
func.func @packed(%x: memref<?x384xf32>, %w: memref<24x384x16xf32>, %c: memref<?x384xf32>) {
  // CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  // CHECK: %[[W:.*]] = vector.load {{.*}} : memref<24x384x16xf32>, vector<16xf32>
  // CHECK: %[[X:.*]] = memref.load
  // CHECK: %[[V:.*]] = vector.broadcast %[[X]]
  // CHECK: math.fma %[[V]], %[[W]], %{{.*}} : vector<16xf32>
  // CHECK-NOT: ingot.linear
  // A single row takes the four panels one after the other.
  // WIDE-COUNT-4: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>) {
  // WIDE: scf.for {{.*}} -> ({{(vector<16xf32>, )+}}vector<16xf32>) {
  // WIDE-COUNT-24: math.fma
  // WIDE: scf.yield
  ingot.linear ins(%x, %w : memref<?x384xf32>, memref<24x384x16xf32>) outs(%c : memref<?x384xf32>)
  return
}

// -----

// A long K in blocks, all rows of one before the next: sums wait in the result.
// CHECK-LABEL: func @blocks
// CHECK-DAG: %[[K:.*]] = arith.constant 1100 : index
// CHECK-DAG: %[[STEP:.*]] = arith.constant 550 : index
// CHECK: scf.for %[[BEGIN:.*]] = %{{.*}} to %[[K]] step %[[STEP]] {
// CHECK: %[[SUM:.*]] = vector.maskedload
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %{{.*}} iter_args(%{{.*}} = %[[SUM]]
func.func @blocks(%x: memref<?x1100xf32>, %w: memref<2x1100x16xf32>, %c: memref<?x20xf32>) {
  ingot.linear ins(%x, %w : memref<?x1100xf32>, memref<2x1100x16xf32>) outs(%c : memref<?x20xf32>)
  return
}

// -----

// Codes are converted in registers.
// CHECK-LABEL: func @codes
func.func @codes(%x: memref<?x384xf32>, %w: memref<24x384x16xi8>, %c: memref<?x384xf32>) {
  // CHECK: vector.load {{.*}} : memref<24x384x16xi8>, vector<16xi8>
  // CHECK: arith.sitofp {{.*}} : vector<16xi8> to vector<16xf32>
  ingot.linear ins(%x, %w : memref<?x384xf32>, memref<24x384x16xi8>) outs(%c : memref<?x384xf32>)
  return
}

// -----

// An unpacked operand is read under a mask.
// CHECK-LABEL: func @matmul
func.func @matmul(%a: memref<?x?x?xf32>, %b: memref<?x?x?xf32>, %c: memref<?x?x?xf32>) {
  // CHECK: vector.create_mask
  // CHECK: vector.maskedload
  ingot.matmul ins(%a, %b : memref<?x?x?xf32>, memref<?x?x?xf32>) outs(%c : memref<?x?x?xf32>)
  return
}

// -----

// Integers are added one by one.
// CHECK-LABEL: func @integers
func.func @integers(%a: memref<?x?x?xi32>, %b: memref<?x?x?xi32>, %c: memref<?x?x?xi32>) {
  // CHECK: arith.muli {{.*}} : i32
  // CHECK: arith.addi {{.*}} : i32
  ingot.matmul ins(%a, %b : memref<?x?x?xi32>, memref<?x?x?xi32>) outs(%c : memref<?x?x?xi32>)
  return
}
