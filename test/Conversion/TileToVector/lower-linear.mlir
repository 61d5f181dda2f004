// RUN: ingot-opt %s --ingot-lower-linear --split-input-file | FileCheck %s
// RUN: ingot-opt %s --ingot-lower-linear=target=x86-64-v4 --split-input-file | FileCheck %s --check-prefix=WIDE
// RUN: ingot-opt %s --ingot-lower-linear=target=x86-64-v4+avx512vnni+avx512bf16 --split-input-file | FileCheck %s --check-prefix=BF16

// Six rows of one panel in registers, four steps of K in a turn; of four panels
// with AVX-512, where columns come in so many, and one step.
// CHECK-LABEL: func @packed
// WIDE-LABEL: func @packed
func.func @packed(%x: memref<?x384xf32>, %w: memref<24x384x16xf32>, %c: memref<?x384xf32>) {
  // CHECK: scf.for {{.*}} step %c4{{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  // CHECK: %[[W:.*]] = vector.load {{.*}} : memref<24x384x16xf32>, vector<16xf32>
  // CHECK: %[[X:.*]] = memref.load
  // CHECK: %[[V:.*]] = vector.broadcast %[[X]]
  // CHECK: math.fma %[[V]], %[[W]], %{{.*}} : vector<16xf32>
  // CHECK-COUNT-23: math.fma
  // CHECK-NEXT: scf.yield
  // CHECK-NOT: ingot.linear
  // A single row takes the four panels one after the other.
  // WIDE-COUNT-4: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>) {
  // WIDE: scf.for {{.*}} -> ({{(vector<16xf32>, )+}}vector<16xf32>) {
  // WIDE-COUNT-24: math.fma
  // WIDE-NEXT: scf.yield
  ingot.linear ins(%x, %w : memref<?x384xf32>, memref<24x384x16xf32>) outs(%c : memref<?x384xf32>)
  return
}

// -----

// A long K in blocks, all rows of one before the next: sums wait in the result,
// of which the first block reads nothing.
// CHECK-LABEL: func @blocks
// CHECK-DAG: %[[K:.*]] = arith.constant 1100 : index
// CHECK-DAG: %[[STEP:.*]] = arith.constant 552 : index
// CHECK: scf.for %[[BEGIN:.*]] = %{{.*}} to %[[K]] step %[[STEP]] {
// CHECK: %[[RESUMES:.*]] = arith.cmpi ne, %[[BEGIN]], %{{.*}} : index
// CHECK: %[[LANES:.*]] = arith.select %[[RESUMES]], %{{.*}}, %c0{{.*}} : index
// CHECK: %[[MASK:.*]] = vector.create_mask %[[LANES]]
// CHECK: %[[SUM:.*]] = vector.maskedload {{.*}}, %[[MASK]],
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %{{.*}} iter_args(%{{.*}} = %[[SUM]]
func.func @blocks(%x: memref<?x1100xf32>, %w: memref<2x1100x16xf32>, %c: memref<?x20xf32>) {
  ingot.linear ins(%x, %w : memref<?x1100xf32>, memref<2x1100x16xf32>) outs(%c : memref<?x20xf32>)
  return
}

// -----

// The last block adds the bias. What is left of K behind turns of four steps
// comes by itself.
// CHECK-LABEL: func @last_block
// CHECK: %[[COMPLETES:.*]] = arith.cmpi eq, %{{.*}}, %c1101
// CHECK: %[[SUMS:.*]]:6 = scf.for {{.*}} step %c4
// CHECK: %[[ALL:.*]]:6 = scf.for {{.*}} step %c1_{{.*}} iter_args(%{{.*}} = %[[SUMS]]#0
// CHECK: %[[WITH:.*]] = arith.addf %[[ALL]]#0, %{{.*}}
// CHECK: arith.select %[[COMPLETES]], %[[WITH]], %[[ALL]]#0
func.func @last_block(%x: memref<?x1101xf32>, %w: memref<2x1101x16xf32>, %bias: memref<32xf32>, %c: memref<?x32xf32>) {
  ingot.linear ins(%x, %w, %bias : memref<?x1101xf32>, memref<2x1101x16xf32>, memref<32xf32>) outs(%c : memref<?x32xf32>)
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

// -----

// Pairs of bf16: one instruction multiplies two rows of the weight. Where there
// is none the halves of each word are floats, the second before the first. What
// is left of an odd K comes behind the loop.
// BF16-LABEL: func @pairs
// CHECK-LABEL: func @pairs
func.func @pairs(%x: memref<?x33xbf16>, %w: memref<2x17x16x2xbf16>, %c: memref<?x32xf32>) {
  // BF16: scf.for {{.*}} -> ({{(vector<16xf32>, )+}}vector<16xf32>) {
  // BF16: vector.load %{{.*}} : memref<2x17x32xbf16>, vector<32xbf16>
  // BF16: vector.load %{{.*}} : memref<?x33xbf16>, vector<2xbf16>
  // BF16: vector.broadcast %{{.*}} : i32 to vector<16xi32>
  // BF16-COUNT-24: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  // BF16: scf.yield
  // BF16: memref.load {{.*}} : memref<?x33xbf16>
  // BF16: arith.extui %{{.*}} : i16 to i32
  // BF16: llvm.call_intrinsic
  // CHECK-NOT: llvm.call_intrinsic
  // CHECK: %[[WORDS:.*]] = vector.bitcast %{{.*}} : vector<32xbf16> to vector<16xi32>
  // CHECK: %[[SECOND:.*]] = arith.andi %[[WORDS]]
  // CHECK: %[[FIRST:.*]] = arith.shli %[[WORDS]]
  // CHECK: %[[S:.*]] = vector.bitcast %[[SECOND]]
  // CHECK: %[[F:.*]] = vector.bitcast %[[FIRST]]
  // CHECK: %[[SUM:.*]] = math.fma %{{.*}}, %[[S]], %{{.*}}
  // CHECK: math.fma %{{.*}}, %[[F]], %[[SUM]]
  ingot.linear ins(%x, %w : memref<?x33xbf16>, memref<2x17x16x2xbf16>) outs(%c : memref<?x32xf32>)
  return
}

// -----

// What is multiplied with may have stayed f32.
// BF16-LABEL: func @floats
// BF16-NOT: llvm.call_intrinsic
// BF16: math.fma
func.func @floats(%x: memref<?x32xf32>, %w: memref<2x16x16x2xbf16>, %c: memref<?x32xf32>) {
  ingot.linear ins(%x, %w : memref<?x32xf32>, memref<2x16x16x2xbf16>) outs(%c : memref<?x32xf32>)
  return
}
