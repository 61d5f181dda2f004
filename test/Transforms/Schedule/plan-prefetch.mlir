// RUN: ingot-opt %s -split-input-file -mega-plan-prefetch="bytes=256" | FileCheck %s
// RUN: ingot-opt %s -split-input-file -mega-plan-prefetch="bytes=0" | FileCheck %s --check-prefix=NONE
// NONE-NOT: mega.prefetch

// Behind the barrier, and a stage that each worker may run for itself, a stage
// reads parts of two weights: the view of one is made early enough. What is
// small or looked up anywhere is not fetched; all spaces are dealt.
// CHECK-LABEL: mega.program @straight(
// CHECK-SAME: %[[W:[a-z0-9]*]]: memref<64x64xf32> {ingot.role = "weight"}, %[[BYTES:[a-z0-9]*]]: memref<16384xi8>
// CHECK: mega.stage {
// CHECK: %[[VIEW:.*]] = memref.view %[[BYTES]]
// CHECK: mega.prefetch {
// CHECK-NEXT: mega.tiles (%[[I:.*]], %[[J:.*]]) in (%{{.*}}, 64) step (8, 4) {
// CHECK-NEXT: %[[A:.*]] = mega.access read %[[W]][%[[J]], 0] [4, 64] [1, 1]
// CHECK-NEXT: %[[B:.*]] = mega.access read %[[VIEW]][%[[J]], 0] [4, 64] [1, 1]
// CHECK-NEXT: mega.fetch first 128 of %[[A]]
// CHECK-NEXT: mega.fetch first 128 of %[[B]]
// CHECK-NEXT: }
// CHECK-NEXT: mega.tiles (%{{.*}}) in (8) step (1) {
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: mega.barrier{{$}}
// CHECK-NEXT: mega.stage each
// CHECK-NOT: mega.prefetch
mega.program @straight(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %n: index, %few: i1,
                       %w: memref<64x64xf32> {ingot.role = "weight"},
                       %bytes: memref<16384xi8> {ingot.role = "weight"},
                       %bias: memref<32xf32> {ingot.role = "weight"}) {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %own = mega.alloc_each %few() : memref<1xf32>
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %x : memref<?x64xf32> to memref<?x64xf32>
      memref.store %f, %to[%i, %i] : memref<?x64xf32>
    }
  }
  mega.barrier
  mega.stage each %few {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %own : memref<1xf32> to memref<1xf32>
      memref.store %f, %to[%i] : memref<1xf32>
    }
  }
  %view = memref.view %bytes[%c0][] : memref<16384xi8> to memref<64x64xf32>
  mega.barrier unless %few
  mega.stage {
    mega.tiles (%i, %j) in (%n, 64) step (8, 4) {
      %0 = mega.access read %w[%j, 0] [4, 64] [1, 1]
        : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
      %1 = mega.access read %bias[%j] [4] [1]
        : memref<32xf32> to memref<4xf32, strided<[1], offset: ?>>
      %2 = mega.access read %view[%j, 0] [4, 64] [1, 1]
        : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
      %3 = mega.access read %w : memref<64x64xf32> to memref<64x64xf32>
    }
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %y : memref<?x64xf32> to memref<?x64xf32>
      memref.store %f, %to[%i, %i] : memref<?x64xf32>
    }
  }
  mega.return
}

// -----

// The first stage of a loop: what the next time reads, at the end of this one.
// CHECK-LABEL: mega.program @loop(
// CHECK: mega.loop %[[I:.*]] = 0 to 3 {
// CHECK: mega.stage
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %[[ONE]]
// CHECK: %[[THREE:.*]] = arith.constant 3 : index
// CHECK: %[[NUMBER:.*]] = arith.remui %[[NEXT]], %[[THREE]]
// CHECK: %[[AT:.*]] = arith.muli %[[NUMBER]]
// CHECK: %[[W:.*]] = memref.view %{{.*}}[%[[AT]]]
// CHECK: mega.prefetch {
// CHECK: mega.access read %[[W]]
// CHECK: mega.barrier
mega.program @loop(%y: memref<64xf32>, %family: memref<49152xi8> {ingot.role = "weight"}) {
  %c16384 = arith.constant 16384 : index
  %f = arith.constant 0.0 : f32
  mega.loop %i = 0 to 3 {
    %at = arith.muli %i, %c16384 : index
    %w = memref.view %family[%at][] : memref<49152xi8> to memref<64x64xf32>
    mega.stage {
      mega.tiles (%j) in (64) step (4) {
        %0 = mega.access read %w[%j, 0] [4, 64] [1, 1]
          : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
        %1 = mega.access update %y : memref<64xf32> to memref<64xf32>
        memref.store %f, %1[%j] : memref<64xf32>
      }
    }
    mega.barrier
  }
  mega.return
}

// -----

// Nothing is fetched for the first stage of all, where few weights are read, or
// before a stage that takes time itself.
// CHECK-LABEL: mega.program @none(
// CHECK-NOT: mega.prefetch
mega.program @none(%x: memref<64xf32>, %y: memref<64xf32>,
                   %w: memref<64x64xf32> {ingot.role = "weight"},
                   %small: memref<8x64xf32> {ingot.role = "weight"}) {
  %f = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%j) in (64) step (4) {
      %0 = mega.access read %w[%j, 0] [4, 64] [1, 1]
        : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
      %to = mega.access write %x : memref<64xf32> to memref<64xf32>
      memref.store %f, %to[%j] : memref<64xf32>
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%j) in (8) step (1) {
      %0 = mega.access read %small[%j, 0] [1, 64] [1, 1]
        : memref<8x64xf32> to memref<1x64xf32, strided<[64, 1], offset: ?>>
      %to = mega.access write %y : memref<64xf32> to memref<64xf32>
      memref.store %f, %to[%j] : memref<64xf32>
    }
  }
  mega.stage {
    mega.tiles (%j) in (64) step (4) {
      %0 = mega.access read %w[%j, 0] [4, 64] [1, 1]
        : memref<64x64xf32> to memref<4x64xf32, strided<[64, 1], offset: ?>>
    }
  }
  mega.return
}
