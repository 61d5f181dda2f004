// RUN: ingot-opt %s --ingot-lower-quantized --split-input-file | FileCheck %s
// RUN: ingot-opt %s --ingot-lower-quantized=target=x86-64-v4 --split-input-file | FileCheck %s --check-prefix=WIDE
// RUN: ingot-opt %s --ingot-lower-quantized=target=x86-64-v4+avx512vnni --split-input-file | FileCheck %s --check-prefix=VNNI
// RUN: ingot-opt %s --ingot-lower-quantized=target=x86-64-v3+avxvnni --split-input-file | FileCheck %s --check-prefix=NARROW
// RUN: ingot-opt %s --ingot-lower-quantized=target=aarch64 --split-input-file | FileCheck %s --check-prefix=PLAIN

// A code and the rest for 24 bits; what does not fill a block is copied.
// CHECK-LABEL: func @rows
// CHECK: %[[SCRATCH:.*]] = memref.alloca() : memref<32xf32>
// CHECK: arith.maximumf
// CHECK: math.roundeven
// CHECK: arith.trunci {{.*}} to vector<16xi16>
// CHECK: arith.trunci {{.*}} to vector<16xi8>
// CHECK: vector.shuffle {{.*}} [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]
// CHECK: memref.store {{.*}}, %[[SCRATCH]]
// CHECK-NOT: ingot.quantize_rows
func.func @rows(%x: memref<?x?xf32>, %y: memref<?x?x26xi32>) {
  ingot.quantize_rows ins(%x : memref<?x?xf32>) outs(%y : memref<?x?x26xi32>) {activation_bits = 24, weight_bits = 4, block = 32}
  return
}

// -----

// The codes of a word are shifted and masked in place; one load for four rows.
// CHECK-LABEL: func @pairs
// CHECK: vector.load {{.*}} : memref<3x18x4x16xi32>, vector<8xi32>
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK-NOT: ingot.quantized_linear
// WIDE-LABEL: func @pairs
// WIDE: vector.load {{.*}} : memref<3x18x4x16xi32>, vector<16xi32>
// WIDE-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
// WIDE: arith.shrui
// WIDE: scf.if
// VNNI-LABEL: func @pairs
// VNNI-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"
// NARROW-LABEL: func @pairs
// NARROW-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.256"
// PLAIN-LABEL: func @pairs
// PLAIN: arith.extsi {{.*}} : vector<8xi16> to vector<8xi32>
// PLAIN: arith.muli {{.*}} : vector<8xi32>
// PLAIN: vector.deinterleave {{.*}} : vector<8xi32> -> vector<4xi32>
// PLAIN-NOT: llvm.x86
func.func @pairs(%x: memref<?x18x18xi32>, %w: memref<3x18x4x16xi32>, %s: memref<3x18x16xf16>, %y: memref<?x40xf32>) {
  ingot.quantized_linear ins(%x, %w, %s : memref<?x18x18xi32>, memref<3x18x4x16xi32>, memref<3x18x16xf16>) outs(%y : memref<?x40xf32>) {activation_bits = 16, weight_bits = 4, block = 32, zero_point = 8}
  return
}

// -----

// Bytes go through sums of 16 bits, 8-bit codes by halves, or to 32 bits at once.
// CHECK-LABEL: func @quads
// CHECK: arith.constant dense<15> : vector<32xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// WIDE-LABEL: func @quads
// WIDE: llvm.call_intrinsic "llvm.x86.avx512.pmaddubs.w.512"
// WIDE: llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
// VNNI-LABEL: func @quads
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// VNNI-NOT: pmadd
// NARROW-LABEL: func @quads
// NARROW: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// NARROW-NOT: pmadd
// PLAIN-LABEL: func @quads
// PLAIN: arith.extui {{.*}} : vector<16xi8> to vector<16xi16>
// PLAIN: arith.extsi {{.*}} : vector<16xi8> to vector<16xi16>
// PLAIN: vector.deinterleave {{.*}} : vector<16xi16> -> vector<8xi16>
func.func @quads(%x: memref<?x18x10xi32>, %w: memref<3x18x8x16xi32>, %s: memref<3x1x16xf32>, %z: memref<3x1x16xi8>, %y: memref<?x40xf32>) {
  ingot.quantized_linear ins(%x, %w, %s, %z : memref<?x18x10xi32>, memref<3x18x8x16xi32>, memref<3x1x16xf32>, memref<3x1x16xi8>) outs(%y : memref<?x40xf32>) {activation_bits = 8, weight_bits = 8, block = 32}
  return
}

// -----

// Rows of floats are read where they are.
// CHECK-LABEL: func @floats
// CHECK: %[[X:.*]] = memref.load %{{.*}} : memref<?x64xf32>
// CHECK: vector.broadcast %[[X]] : f32
// CHECK: math.fma
// CHECK-NOT: ingot.quantized_linear
func.func @floats(%x: memref<?x64xf32>, %w: memref<3x2x8x16xi32>, %s: memref<3x1x16xf32>, %y: memref<?x40xf32>) {
  ingot.quantized_linear ins(%x, %w, %s : memref<?x64xf32>, memref<3x2x8x16xi32>, memref<3x1x16xf32>) outs(%y : memref<?x40xf32>) {activation_bits = 32, weight_bits = 8, block = 32, zero_point = 128}
  return
}

// -----

// Many rows of floats are multiplied with panels that are made of the codes, a
// part of K at a time, of which the first reads no sums, and brought to scale at
// the end; few with codes.
// CHECK-LABEL: func @panels
// CHECK: %[[MANY:.*]] = arith.cmpi uge, %{{.*}}, %c8
// CHECK: scf.if %[[MANY]]
// CHECK: %[[PANELS:.*]] = memref.alloca() {{.*}} : memref<2x512x16xf32>
// CHECK: arith.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: vector.store {{.*}}, %[[PANELS]]
// CHECK: %[[RESUMES:.*]] = arith.cmpi ne
// CHECK: memref.subview %{{.*}} : memref<?x1536xf32> to memref<?x512xf32,
// CHECK: %[[THERE:.*]] = vector.load
// CHECK: arith.select %[[RESUMES]], %[[THERE]]
// CHECK: vector.load %[[PANELS]]
// CHECK: %[[SUMS:.*]] = vector.load %{{.*}} : memref<?x32xf32>
// CHECK: %[[SCALED:.*]] = arith.mulf %[[SUMS]]
// CHECK: vector.store %[[SCALED]]
// CHECK: return
func.func @panels(%x: memref<?x1536xf32>, %w: memref<2x12x32x16xi32>, %s: memref<2x1x16xf32>, %y: memref<?x32xf32>) {
  ingot.quantized_linear ins(%x, %w, %s : memref<?x1536xf32>, memref<2x12x32x16xi32>, memref<2x1x16xf32>) outs(%y : memref<?x32xf32>) {activation_bits = 32, weight_bits = 8, block = 128, zero_point = 128}
  return
}
