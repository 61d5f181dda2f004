// RUN: ingot-opt %s | ingot-opt | FileCheck %s
// RUN: ingot-opt %s --mlir-print-op-generic | ingot-opt | FileCheck %s

// CHECK-LABEL: mega.program @hand_over(
mega.program @hand_over(%k: memref<?x8xi64>, %t: memref<64xf32>, %y: memref<64xf32>) {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (64) step (8) {
      %to = mega.access write %t[%i] [8] [1] : memref<64xf32> to memref<8xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32, strided<[1], offset: ?>>)
      // CHECK: mega.signal %{{.*}} : memref<?x8xi64>
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (8) {
      %band = arith.divui %i, %c8 : index
      // CHECK: mega.await %{{.*}}[%{{.*}}][%{{.*}}] of %{{.*}} : memref<?x8xi64>
      mega.await %k[%band][%c1] of %c1 : memref<?x8xi64>
      %from = mega.access read %t[%i] [8] [1] : memref<64xf32> to memref<8xf32, strided<[1], offset: ?>>
      %to = mega.access write %y[%i] [8] [1] : memref<64xf32> to memref<8xf32, strided<[1], offset: ?>>
      linalg.copy ins(%from : memref<8xf32, strided<[1], offset: ?>>) outs(%to : memref<8xf32, strided<[1], offset: ?>>)
    }
  }
  mega.return
}
