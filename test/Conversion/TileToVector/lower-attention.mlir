// RUN: ingot-opt %s --ingot-lower-attention --split-input-file | FileCheck %s

// Scores of one tile on the stack, queries in the lanes.
// CHECK-LABEL: func @tiled
func.func @tiled(%q: memref<1x?x1x32xf32>, %k: memref<1x?x1x32xf32>, %v: memref<1x?x1x32xf32>,
                 %o: memref<1x?x1x32xf32>) {
  // CHECK: memref.alloca_scope
  // CHECK: memref.alloca() {{.*}} : memref<32x48xf32>
  // CHECK: memref.alloca() {{.*}} : memref<48x48xf32>
  // CHECK: memref.alloca() {{.*}} : memref<48x32xf32>
  // CHECK: math.fma {{.*}} : vector<16xf32>
  // CHECK-NOT: ingot.attention
  ingot.attention ins(%q, %k, %v : memref<1x?x1x32xf32>, memref<1x?x1x32xf32>, memref<1x?x1x32xf32>)
      outs(%o : memref<1x?x1x32xf32>) {scale = 0.25 : f64}
  return
}

// -----

// Half precision takes the plain path and sums in f32.
// CHECK-LABEL: func @plain
func.func @plain(%q: memref<1x?x1x32xf16>, %k: memref<1x?x1x32xf16>, %v: memref<1x?x1x32xf16>,
                 %o: memref<1x?x1x32xf16>) {
  // CHECK: arith.extf {{.*}} : f16 to f32
  // CHECK: arith.truncf {{.*}} : f32 to f16
  ingot.attention ins(%q, %k, %v : memref<1x?x1x32xf16>, memref<1x?x1x32xf16>, memref<1x?x1x32xf16>)
      outs(%o : memref<1x?x1x32xf16>) {scale = 0.25 : f64}
  return
}
