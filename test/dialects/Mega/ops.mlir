// RUN: ingot-opt %s | ingot-opt | FileCheck %s
// RUN: ingot-opt %s --mlir-print-op-generic | ingot-opt | FileCheck %s

// CHECK-LABEL: mega.program private @empty()
mega.program private @empty() {
  // CHECK-NEXT: mega.return
  mega.return
}

// CHECK-LABEL: mega.program @all(
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32> {ingot.role = "input"}, %[[Y:.*]]: memref<1x64xf32>, %[[A:.*]]: memref<?xi8>, %[[N:.*]]: index, %[[FEW:.*]]: i1) -> (index {ingot.name = "n"}, index)
// CHECK-SAME: attributes {ingot.arena = "64"}
mega.program @all(%x: memref<?x64xf32> {ingot.role = "input"}, %y: memref<1x64xf32>,
                  %arena: memref<?xi8>, %n: index, %few: i1) -> (index {ingot.name = "n"}, index)
    attributes {ingot.arena = "64"} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  // CHECK: mega.stage {
  mega.stage {
    // CHECK-NEXT: mega.tiles (%[[I:.*]], %[[J:.*]]) in (%[[N]], 64) step (8, %[[N]]) {
    mega.tiles (%i, %j) in (%n, 64) step (8, %n) {
      // CHECK: mega.access read %[[X]][%[[I]], 0] [8, 64] [1, 1] : memref<?x64xf32> to memref<8x64xf32, strided<[64, 1], offset: ?>>
      %0 = mega.access read %x[%i, 0] [8, 64] [1, 1]
        : memref<?x64xf32> to memref<8x64xf32, strided<[64, 1], offset: ?>>
      // CHECK: mega.access write %[[Y]][0, %[[J]]] [1, %[[N]]] [1, 2] : memref<1x64xf32> to memref<?xf32, strided<[2], offset: ?>>
      %1 = mega.access write %y[0, %j] [1, %n] [1, 2]
        : memref<1x64xf32> to memref<?xf32, strided<[2], offset: ?>>
      // CHECK: mega.scratch %[[A]][%[[I]]][%[[N]]] : memref<?xi8> to memref<?xf32>
      %2 = mega.scratch %arena[%i][%n] : memref<?xi8> to memref<?xf32>
      // CHECK: mega.scratch %[[A]][%[[I]]][] : memref<?xi8> to memref<4xf32>
      %3 = mega.scratch %arena[%i][] : memref<?xi8> to memref<4xf32>
    }
    // CHECK: mega.tiles (%{{.*}}) in (1) step (1) {
    mega.tiles (%i) in (1) step (1) {
      // CHECK-NEXT: %[[ALL:.*]] = mega.access update %[[X]] : memref<?x64xf32> to memref<?x64xf32>
      %0 = mega.access update %x : memref<?x64xf32> to memref<?x64xf32>
      %1 = memref.load %0[%i, %i] : memref<?x64xf32>
      memref.store %1, %0[%i, %i] : memref<?x64xf32>
      // CHECK: } {ingot.note}
    } {ingot.note}
  }
  // CHECK: mega.barrier
  mega.barrier
  // CHECK: %[[OWN:.*]] = mega.alloc_each %[[FEW]](%[[N]]) : memref<?xf32>
  %own = mega.alloc_each %few(%n) : memref<?xf32>
  // CHECK: %[[MINE:.*]] = mega.scratch %[[A]][%{{.*}}][] each %[[FEW]] : memref<?xi8> to memref<4xf32>
  %mine = mega.scratch %arena[%c0][] each %few : memref<?xi8> to memref<4xf32>
  // CHECK: mega.stage each %[[FEW]] {
  mega.stage each %few {
    mega.tiles (%i) in (1) step (1) {
      // CHECK: mega.access write %[[OWN]]
      %0 = mega.access write %own : memref<?xf32> to memref<?xf32>
      %1 = mega.access write %mine : memref<4xf32> to memref<4xf32>
    }
  }
  // CHECK: mega.prefetch {
  mega.prefetch {
    // CHECK-NEXT: mega.tiles (%{{.*}}) in (%[[N]]) step (8) {
    mega.tiles (%i) in (%n) step (8) {
      // CHECK-NEXT: %[[PART:.*]] = mega.access read %[[X]]
      %0 = mega.access read %x[%i, 0] [8, 64] [1, 1]
        : memref<?x64xf32> to memref<8x64xf32, strided<[64, 1], offset: ?>>
      // CHECK-NEXT: mega.fetch first 256 of %[[PART]] : memref<8x64xf32, strided<[64, 1], offset: ?>>
      mega.fetch first 256 of %0 : memref<8x64xf32, strided<[64, 1], offset: ?>>
    }
    // CHECK: mega.tiles (%{{.*}}) in (4) step (1) {
    mega.tiles (%i) in (4) step (1) {
    }
  }
  // CHECK: mega.barrier unless %[[FEW]]
  mega.barrier unless %few
  // CHECK-NEXT: mega.barrier of %[[N]]{{$}}
  mega.barrier of %n
  // CHECK-NEXT: mega.barrier of %[[N]] unless %[[FEW]]
  mega.barrier of %n unless %few
  // CHECK-NEXT: mega.stage prologue each %[[FEW]] {
  // CHECK-NEXT: mega.tiles
  mega.stage prologue each %few {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access write %own : memref<?xf32> to memref<?xf32>
    }
    // CHECK: } {ingot.note}
    mega.tiles (%i) in (2) step (1) {
    } {ingot.note}
    // CHECK-NEXT: mega.barrier unless %[[FEW]]
    // CHECK-NEXT: } prologue each %[[FEW]] {
    mega.barrier unless %few
  } prologue each %few {
    // CHECK-NEXT: mega.tiles
    mega.tiles (%i) in (3) step (1) {
    }
    // CHECK: } each %[[FEW]] attributes {ingot.note} {
  } each %few attributes {ingot.note} {
    // CHECK-NEXT: mega.tiles
    mega.tiles (%i) in (4) step (1) {
    }
  }
  // CHECK: mega.return %[[N]], %{{.*}} : index, index
  mega.return %n, %c0 : index, index
}
