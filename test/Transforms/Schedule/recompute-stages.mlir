// RUN: ingot-opt %s -split-input-file -mega-recompute-stages | FileCheck %s

// What has one tile for up to 4 rows is run by each worker then, into a buffer of
// its own; the view of it moves behind the condition.
// CHECK-LABEL: mega.program @rows(
// CHECK-SAME: %[[X:.*]]: memref<?x4xf32>, %[[Y:.*]]: memref<?xf32>, %[[N:.*]]: index)
// CHECK: %[[C4:.*]] = arith.constant 4 : index
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %[[N]], %[[C4]]
// CHECK: %[[OWN:.*]] = mega.alloc_each %[[FEW]](%[[N]]) : memref<?x4xf32>
// CHECK: %[[FLAT:.*]] = memref.collapse_shape %[[OWN]]
// CHECK: mega.stage each %[[FEW]] {
// CHECK: mega.access write %[[OWN]]
// CHECK: mega.stage {
// CHECK: mega.access read %[[FLAT]]
mega.program @rows(%x: memref<?x4xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %t = memref.alloc(%n) : memref<?x4xf32>
  %flat = memref.collapse_shape %t [[0, 1]] : memref<?x4xf32> into memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (4) {
      %from = mega.access read %x : memref<?x4xf32> to memref<?x4xf32>
      %to = mega.access write %t : memref<?x4xf32> to memref<?x4xf32>
      %0 = memref.load %from[%i, %c0] : memref<?x4xf32>
      memref.store %0, %to[%i, %c0] : memref<?x4xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      %from = mega.access read %flat : memref<?xf32> to memref<?xf32>
      %to = mega.access write %y : memref<?xf32> to memref<?xf32>
      %0 = memref.load %from[%i] : memref<?xf32>
      memref.store %0, %to[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// One tile of constant size is always run by each; more than one never.
// CHECK-LABEL: mega.program @constant(
// CHECK: %[[TRUE:.*]] = arith.constant true
// CHECK: %[[A:.*]] = mega.alloc_each %[[TRUE]]() : memref<8xf32>
// CHECK: mega.stage each %[[TRUE]] {
// CHECK: mega.stage {
mega.program @constant() {
  %f = arith.constant 1.0 : f32
  %a = memref.alloc() : memref<8xf32>
  %b = memref.alloc() : memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (8) step (8) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (4) {
      %to = mega.access write %b : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// Outputs, buffers that another stage writes too, checks and more spaces than
// one worker should run are left alone.
// CHECK-LABEL: mega.program @kept(
// CHECK-NOT: each
mega.program @kept(%out: memref<8xf32>, %p: i1) {
  %f = arith.constant 1.0 : f32
  %a = memref.alloc() : memref<8xf32>
  %b = memref.alloc() : memref<8xf32>
  %c = memref.alloc() : memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %out : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access update %a : memref<8xf32> to memref<8xf32>
      %0 = memref.load %to[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %b : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
      ingot.check %p, "no"
    }
  }
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %c[0] [1] [1] : memref<8xf32> to memref<1xf32, strided<[1]>>
      memref.store %f, %to[%i] : memref<1xf32, strided<[1]>>
    }
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %c[1] [1] [1] : memref<8xf32> to memref<1xf32, strided<[1], offset: 1>>
      memref.store %f, %to[%i] : memref<1xf32, strided<[1], offset: 1>>
    }
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %c[2] [1] [1] : memref<8xf32> to memref<1xf32, strided<[1], offset: 2>>
      memref.store %f, %to[%i] : memref<1xf32, strided<[1], offset: 2>>
    }
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %c[3] [1] [1] : memref<8xf32> to memref<1xf32, strided<[1], offset: 3>>
      memref.store %f, %to[%i] : memref<1xf32, strided<[1], offset: 3>>
    }
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %c[4] [1] [1] : memref<8xf32> to memref<1xf32, strided<[1], offset: 4>>
      memref.store %f, %to[%i] : memref<1xf32, strided<[1], offset: 4>>
    }
  }
  mega.return
}

// -----

// State is the session's, not a worker's.
!cache = !ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>
// CHECK-LABEL: mega.program @state(
// CHECK-NOT: each
mega.program @state(%q: memref<1x1x1x4xf32>, %past: memref<1xi64>, %cache: !cache) {
  %t = memref.alloc() : memref<1x1x1x4xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %q : memref<1x1x1x4xf32> to memref<1x1x1x4xf32>
      %1 = mega.access read %past : memref<1xi64> to memref<1xi64>
      %2 = mega.access write %t : memref<1x1x1x4xf32> to memref<1x1x1x4xf32>
      ingot.paged_attention ins(%0 : memref<1x1x1x4xf32>) past(%1 : memref<1xi64>)
        count(%1 : memref<1xi64>) cache(%cache : !cache)
        outs(%2 : memref<1x1x1x4xf32>) {scale = 1.0 : f64}
    }
  }
  mega.return
}

// -----

// The condition has to be known when buffers get their places.
// CHECK-LABEL: mega.program @late(
// CHECK-NOT: each
mega.program @late(%x: memref<1xindex>) {
  %c0 = arith.constant 0 : index
  %f = arith.constant 1.0 : f32
  %n = memref.load %x[%c0] : memref<1xindex>
  %t = memref.alloc() : memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %to = mega.access write %t : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}
