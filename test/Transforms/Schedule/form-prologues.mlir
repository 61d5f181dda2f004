// RUN: ingot-opt %s -split-input-file -mega-form-prologues | FileCheck %s

// What each worker runs becomes a prologue of the next stage that is dealt, one
// after the other; what stands between moves in front.
// CHECK-LABEL: mega.program @chain(
// CHECK-SAME: %[[FEW:[a-z0-9]*]]: i1, %[[ONE:[a-z0-9]*]]: i1
// CHECK: %[[A:.*]] = mega.alloc_each %[[FEW]]
// CHECK: %[[B:.*]] = mega.alloc_each %[[ONE]]
// CHECK: %[[FLAT:.*]] = memref.collapse_shape %[[B]]
// CHECK-NEXT: mega.stage prologue each %[[FEW]] {
// CHECK: mega.access write %[[A]]
// CHECK: } prologue each %[[ONE]] {
// CHECK: mega.access write %[[B]]
// CHECK: } {
// CHECK: mega.access read %[[FLAT]]
// CHECK-NOT: mega.stage
mega.program @chain(%y: memref<8xf32>, %few: i1, %one: i1) {
  %f = arith.constant 1.0 : f32
  %a = mega.alloc_each %few() : memref<8xf32>
  mega.stage each %few {
    mega.tiles (%i) in (8) step (8) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  %b = mega.alloc_each %one() : memref<2x4xf32>
  mega.stage each %one {
    mega.tiles (%i) in (1) step (1) {
      %from = mega.access read %a : memref<8xf32> to memref<8xf32>
      %to = mega.access write %b : memref<2x4xf32> to memref<2x4xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i, %i] : memref<2x4xf32>
    }
  }
  %flat = memref.collapse_shape %b [[0, 1]] : memref<2x4xf32> into memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %flat : memref<8xf32> to memref<8xf32>
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// Prologues that a stage has come behind. Its attributes stay.
// CHECK-LABEL: mega.program @more(
// CHECK-SAME: %[[P:[a-z0-9]*]]: i1, %[[Q:[a-z0-9]*]]: i1
// CHECK-NEXT: mega.stage prologue each %[[P]] {
// CHECK-NEXT: mega.tiles (%{{.*}}) in (1)
// CHECK: } prologue each %[[Q]] {
// CHECK-NEXT: mega.tiles (%{{.*}}) in (2)
// CHECK: } attributes {ingot.note} {
// CHECK-NEXT: mega.tiles (%{{.*}}) in (3)
mega.program @more(%p: i1, %q: i1) {
  mega.stage each %p {
    mega.tiles (%i) in (1) step (1) {
    }
  }
  mega.stage prologue each %q {
    mega.tiles (%i) in (2) step (1) {
    }
  } attributes {ingot.note} {
    mega.tiles (%i) in (3) step (1) {
    }
  }
  mega.return
}

// -----

// In a loop as elsewhere. What each worker reads between two stages is not passed,
// nor is the end of a loop or of the program.
// CHECK-LABEL: mega.program @kept(
// CHECK: mega.stage each
// CHECK: memref.load
// CHECK: mega.stage {
// CHECK: mega.loop
// CHECK-NEXT: mega.stage prologue each
// CHECK: mega.stage each
// CHECK: mega.stage {
// CHECK: mega.stage each
mega.program @kept(%x: memref<8xf32>, %p: i1) {
  %c0 = arith.constant 0 : index
  mega.stage each %p {
    mega.tiles (%i) in (1) step (1) {
    }
  }
  %0 = memref.load %x[%c0] : memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (2) step (1) {
    }
  }
  mega.loop %l = 0 to 3 {
    mega.stage each %p {
      mega.tiles (%i) in (3) step (1) {
      }
    }
    mega.stage {
      mega.tiles (%i) in (4) step (1) {
      }
    }
    mega.stage each %p {
      mega.tiles (%i) in (5) step (1) {
      }
    }
  }
  mega.stage {
    mega.tiles (%i) in (6) step (1) {
    }
  }
  mega.stage each %p {
    mega.tiles (%i) in (7) step (1) {
    }
  }
  mega.return
}
