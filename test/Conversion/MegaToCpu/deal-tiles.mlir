// RUN: ingot-opt %s -split-input-file -mega-outline-tiles | FileCheck %s

// Tiles in several rows are dealt in turn, those of one row in one piece.
// CHECK-LABEL: mega.program @rows(
// CHECK-SAME: %[[WORKER:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WORKERS:[a-z0-9]*]]: index
// CHECK: %[[ROWS:.*]] = arith.ceildivsi
// CHECK: %[[COLUMNS:.*]] = arith.ceildivsi
// CHECK: %[[TILES:.*]] = arith.muli %[[ROWS]], %[[COLUMNS]]
// CHECK: %[[ONE_ROW:.*]] = arith.cmpi eq, %[[TILES]], %[[COLUMNS]]
// CHECK: %[[IN_ROW:.*]] = arith.select %[[ONE_ROW]], %[[TILES]], %{{.*}}
// CHECK: %[[PRODUCT:.*]] = arith.muli %[[IN_ROW]], %[[WORKER]]
// CHECK: %[[BEGIN:.*]] = arith.divui %[[PRODUCT]], %[[WORKERS]]
// CHECK: %[[FIRST:.*]] = arith.select %[[ONE_ROW]], %{{.*}}, %[[WORKER]]
// CHECK: %[[END:.*]] = arith.select %[[ONE_ROW]], %{{.*}}, %[[TILES]]
// CHECK: %[[STEP:.*]] = arith.select %[[ONE_ROW]], %{{.*}}, %[[WORKERS]]
// CHECK: call @stage_0({{.*}}, %[[FIRST]], %[[END]], %[[STEP]])
mega.program @rows(%a: memref<?x?xf32>, %m: index, %n: index,
                   %worker: index {ingot.role = "worker"},
                   %workers: index {ingot.role = "workers"},
                   %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i, %j) in (%m, %n) step (8, 16) {
      %to = mega.access write %a : memref<?x?xf32> to memref<?x?xf32>
      memref.store %zero, %to[%i, %j] : memref<?x?xf32>
    }
  }
  mega.return
}

// -----

// The tiles of two spaces are numbered in a row: three of the first, five of
// the second. Of the eight, a worker gets eight times its number divided by
// that of workers, counted from where each space begins.
// CHECK-LABEL: mega.program @spaces(
// CHECK-SAME: %[[WORKER:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WORKERS:[a-z0-9]*]]: index
// CHECK-DAG: %[[C8:.*]] = arith.constant 8 : index
// CHECK: %[[PRODUCT:.*]] = arith.muli %[[WORKER]], %[[C8]]
// CHECK: %[[BEGIN:.*]] = arith.divui %[[PRODUCT]], %[[WORKERS]]
// CHECK: %[[OWN:.*]] = arith.maxsi %[[BEGIN]], %{{.*}}
// CHECK: %[[FIRST:.*]] = arith.minsi %[[OWN]], %{{.*}}
// CHECK: call @stage_0(%{{.*}}, %[[FIRST]], %{{.*}}, %{{.*}})
// CHECK: %[[BEHIND:.*]] = arith.subi %[[BEGIN]], %{{.*}}
// CHECK: %[[LATER:.*]] = arith.maxsi %[[BEHIND]], %{{.*}}
// CHECK: %[[SECOND:.*]] = arith.minsi %[[LATER]], %{{.*}}
// CHECK: call @stage_0_0(%{{.*}}, %[[SECOND]], %{{.*}}, %{{.*}})
mega.program @spaces(%a: memref<48xf32>, %b: memref<80xf32>,
                     %worker: index {ingot.role = "worker"},
                     %workers: index {ingot.role = "workers"},
                     %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i) in (48) step (16) {
      %to = mega.access write %a : memref<48xf32> to memref<48xf32>
      memref.store %zero, %to[%i] : memref<48xf32>
    }
    mega.tiles (%i) in (80) step (16) {
      %to = mega.access write %b : memref<80xf32> to memref<80xf32>
      memref.store %zero, %to[%i] : memref<80xf32>
    }
  }
  mega.return
}

// -----

// Spaces that take turns go on where the one before left off: its eight tiles.
// CHECK-LABEL: mega.program @turns(
// CHECK-SAME: %[[WORKER:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WORKERS:[a-z0-9]*]]: index
// CHECK: call @stage_0(%{{.*}}, %[[WORKER]], %{{.*}}, %[[WORKERS]])
// CHECK: %[[PAST:.*]] = arith.remui %{{.*}}, %[[WORKERS]]
// CHECK: %[[AHEAD:.*]] = arith.subi %[[WORKERS]], %[[PAST]]
// CHECK: %[[LATER:.*]] = arith.addi %[[WORKER]], %[[AHEAD]]
// CHECK: %[[TURN:.*]] = arith.remui %[[LATER]], %[[WORKERS]]
// CHECK: call @stage_0_0(%{{.*}}, %[[TURN]], %{{.*}}, %[[WORKERS]])
mega.program @turns(%a: memref<4x2xf32>, %b: memref<3x3xf32>,
                    %worker: index {ingot.role = "worker"},
                    %workers: index {ingot.role = "workers"},
                    %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i, %j) in (4, 2) step (1, 1) {
      %to = mega.access write %a : memref<4x2xf32> to memref<4x2xf32>
      memref.store %zero, %to[%i, %j] : memref<4x2xf32>
    }
    mega.tiles (%i, %j) in (3, 3) step (1, 1) {
      %to = mega.access write %b : memref<3x3xf32> to memref<3x3xf32>
      memref.store %zero, %to[%i, %j] : memref<3x3xf32>
    }
  }
  mega.return
}

// -----

// Where the condition of a stage holds, a worker runs all tiles from the first.
// CHECK-LABEL: mega.program @each(
// CHECK-SAME: %[[FEW:[a-z0-9]*]]: i1
// CHECK-DAG: %[[FIRST:.*]] = arith.select %[[FEW]], %c0
// CHECK-DAG: %[[END:.*]] = arith.select %[[FEW]], %c5
// CHECK-DAG: %[[STEP:.*]] = arith.select %[[FEW]], %c1
// CHECK: call @stage_0(%{{.*}}, %[[FIRST]], %[[END]], %[[STEP]])
mega.program @each(%arena: memref<?xi8>, %few: i1,
                   %worker: index {ingot.role = "worker"},
                   %workers: index {ingot.role = "workers"},
                   %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %own = mega.scratch %arena[%c0][] each %few : memref<?xi8> to memref<10xf32>
  mega.stage each %few {
    mega.tiles (%i) in (10) step (2) {
      %to = mega.access write %own : memref<10xf32> to memref<10xf32>
      memref.store %zero, %to[%i] : memref<10xf32>
    }
  }
  mega.return
}

// -----

// A prologue is dealt by itself, or run by each; its barrier comes behind its tiles
// and in front of the others. Explain is told.
// CHECK-LABEL: mega.program @prologue(
// CHECK-SAME: %[[FEW:[a-z0-9]*]]: i1
// CHECK: ingot.stages = [{{.*}}sync = "prologue*"{{.*}}sync = "joined prologue*"{{.*}}sync = "barrier*"
// CHECK-DAG: %[[FIRST:.*]] = arith.select %[[FEW]], %c0
// CHECK-DAG: %[[STEP:.*]] = arith.select %[[FEW]], %c1
// CHECK: call @stage_0(%{{.*}}, %[[FIRST]], %{{.*}}, %[[STEP]])
// CHECK: call @stage_0_0(
// CHECK: mega.barrier unless %[[FEW]]
// CHECK-NOT: arith.select %[[FEW]]
// CHECK: call @stage_0_1(
mega.program @prologue(%arena: memref<?xi8>, %few: i1, %y: memref<12xf32>,
                       %worker: index {ingot.role = "worker"},
                       %workers: index {ingot.role = "workers"},
                       %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %own = mega.scratch %arena[%c0][] each %few : memref<?xi8> to memref<10xf32>
  mega.stage prologue each %few {
    mega.tiles (%i) in (10) step (2) {
      %to = mega.access write %own : memref<10xf32> to memref<10xf32>
      memref.store %zero, %to[%i] : memref<10xf32>
    }
    mega.tiles (%i) in (9) step (9) {
    }
    mega.barrier unless %few
  } {
    mega.tiles (%i) in (12) step (2) {
      %from = mega.access read %own : memref<10xf32> to memref<10xf32>
      %to = mega.access write %y : memref<12xf32> to memref<12xf32>
      %0 = memref.load %from[%c0] : memref<10xf32>
      memref.store %0, %to[%i] : memref<12xf32>
    }
  }
  mega.return
}
