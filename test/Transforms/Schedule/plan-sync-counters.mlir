// RUN: ingot-opt %s -split-input-file -mega-plan-sync="workers=4 flops=1e9" | FileCheck %s

// Tiles of rows wait for the tiles of the same rows: as many as there are along
// the other dim. The counters are set to 0 in front of the barrier before.
#info = loc(fused<{flops = "1000000"}>["a"])
// CHECK-LABEL: mega.program @rows(
// CHECK-SAME: %[[X:[a-z0-9]*]]: memref<1024x64xf32>
// CHECK: %[[K:.*]] = memref.alloc(%{{.*}}) : memref<?x8xi64>
// CHECK: mega.access write %[[X]]
// CHECK: mega.stage
// CHECK: %[[ALL:.*]] = mega.access write %[[K]]
// CHECK: linalg.fill ins(%{{.*}} : i64) outs(%[[ALL]] :
// CHECK: mega.barrier
// CHECK: mega.access write %{{.*}}[%{{.*}}, %{{.*}}]
// CHECK: mega.signal %[[K]]
// CHECK-NOT: mega.barrier
// CHECK: %[[SIZE:.*]] = affine.min
// CHECK: %[[FIRST:.*]] = arith.floordivsi %{{.*}}, %{{.*}}
// CHECK: %[[COUNT:.*]] = arith.addi
// CHECK: mega.await %[[K]]{{\[}}%[[FIRST]]{{\]\[}}%[[COUNT]]{{\]}} of %c2
// CHECK: linalg.copy
mega.program @rows(%x: memref<1024x64xf32>, %y: memref<1024x64xf32>) {
  %f = arith.constant 1.0 : f32
  %t = memref.alloc() : memref<1024x64xf32>
  mega.stage {
    mega.tiles (%i) in (1024) step (32) {
      %to = mega.access write %x[%i, 0] [32, 64] [1, 1] : memref<1024x64xf32> to memref<32x64xf32, strided<[64, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<32x64xf32, strided<[64, 1], offset: ?>>)
    }
  }
  mega.stage {
    mega.tiles (%i, %j) in (1024, 64) step (64, 32) {
      %from = mega.access read %x : memref<1024x64xf32> to memref<1024x64xf32>
      %to = mega.access write %t[%i, %j] [64, 32] [1, 1] : memref<1024x64xf32> to memref<64x32xf32, strided<[64, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<64x32xf32, strided<[64, 1], offset: ?>>)
    } loc(#info)
  }
  mega.stage {
    mega.tiles (%i) in (1024) step (48) {
      %size = affine.min affine_map<(d0) -> (1024 - d0, 48)>(%i)
      %from = mega.access read %t[%i, 0] [%size, 64] [1, 1] : memref<1024x64xf32> to memref<?x64xf32, strided<[64, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [%size, 64] [1, 1] : memref<1024x64xf32> to memref<?x64xf32, strided<[64, 1], offset: ?>>
      linalg.copy ins(%from : memref<?x64xf32, strided<[64, 1], offset: ?>>) outs(%to : memref<?x64xf32, strided<[64, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

// In front of the first barrier nothing can set counters to 0; tiles that want
// all there is wait for everyone.
// CHECK-LABEL: mega.program @barriers(
// CHECK-NOT: mega.await
// CHECK: mega.barrier
// CHECK-NOT: mega.await
// CHECK: mega.barrier
// CHECK-NOT: mega.await
// CHECK: mega.return
mega.program @barriers(%x: memref<1024x64xf32>, %y: memref<1024x64xf32>) {
  %f = arith.constant 1.0 : f32
  %t = memref.alloc() : memref<1024x64xf32>
  mega.stage {
    mega.tiles (%i) in (1024) step (32) {
      %to = mega.access write %t[%i, 0] [32, 64] [1, 1] : memref<1024x64xf32> to memref<32x64xf32, strided<[64, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<32x64xf32, strided<[64, 1], offset: ?>>)
    }
  }
  mega.stage {
    mega.tiles (%i) in (1024) step (32) {
      %from = mega.access read %t[%i, 0] [32, 64] [1, 1] : memref<1024x64xf32> to memref<32x64xf32, strided<[64, 1], offset: ?>>
      %to = mega.access write %x[%i, 0] [32, 64] [1, 1] : memref<1024x64xf32> to memref<32x64xf32, strided<[64, 1], offset: ?>>
      linalg.copy ins(%from : memref<32x64xf32, strided<[64, 1], offset: ?>>) outs(%to : memref<32x64xf32, strided<[64, 1], offset: ?>>)
    }
  }
  mega.stage {
    mega.tiles (%i) in (1024) step (32) {
      %from = mega.access read %x : memref<1024x64xf32> to memref<1024x64xf32>
      %to = mega.access write %y[%i, 0] [32, 64] [1, 1] : memref<1024x64xf32> to memref<32x64xf32, strided<[64, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<32x64xf32, strided<[64, 1], offset: ?>>)
    }
  }
  mega.return
}
