// RUN: ingot-opt %s -split-input-file -mega-outline-tiles | FileCheck %s

// A worker gets the tiles from its number on, divided by that of workers, of all:
// row by row in one piece. Of fewer tiles than workers the first ones get one each.
// CHECK-LABEL: mega.program @rows(
// CHECK-SAME: %[[WORKER:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WORKERS:[a-z0-9]*]]: index
// CHECK: %[[COLUMNS:.*]] = arith.ceildivsi
// CHECK: %[[TILES:.*]] = arith.muli %{{.*}}, %[[COLUMNS]]
// CHECK: %[[FEW:.*]] = arith.cmpi slt, %[[TILES]], %[[WORKERS]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[WORKER]], %c1
// CHECK: %[[PRODUCT:.*]] = arith.muli %[[TILES]], %[[WORKER]]
// CHECK-DAG: %[[ONE:.*]] = arith.minsi %[[WORKER]], %[[TILES]]
// CHECK-DAG: %[[SHARE:.*]] = arith.divui %[[PRODUCT]], %[[WORKERS]]
// CHECK: %[[BEGIN:.*]] = arith.select %[[FEW]], %[[ONE]], %[[SHARE]]
// CHECK: %[[BEHIND:.*]] = arith.muli %[[TILES]], %[[NEXT]]
// CHECK-DAG: %[[AFTER:.*]] = arith.minsi %[[NEXT]], %[[TILES]]
// CHECK-DAG: %[[REST:.*]] = arith.divui %[[BEHIND]], %[[WORKERS]]
// CHECK: %[[END:.*]] = arith.select %[[FEW]], %[[AFTER]], %[[REST]]
// CHECK: call @stage_0({{.*}}, %[[BEGIN]], %[[END]], %c1{{.*}})
mega.program @rows(%a: memref<?x?xf32>, %m: index, %n: index,
                   %worker: index {ingot.role = "worker"},
                   %workers: index {ingot.role = "workers"},
                   %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i, %j) in (%m, %n) step (1, 16) {
      %to = mega.access write %a : memref<?x?xf32> to memref<?x?xf32>
      memref.store %zero, %to[%i, %j] : memref<?x?xf32>
    }
  }
  mega.return
}

// -----

// Where the last rows of several tiles of rows lack more than an eighth of all,
// workers take turns.
// CHECK-LABEL: mega.program @uneven(
// CHECK-SAME: %[[M:[a-z0-9]*]]: index, %{{[a-z0-9]*}}: index, %[[WORKER:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WORKERS:[a-z0-9]*]]: index
// CHECK: %[[TILES:.*]] = arith.muli
// CHECK: %[[ROWS:.*]] = arith.ceildivsi %[[M]]
// CHECK: %[[FULL:.*]] = arith.muli %[[ROWS]]
// CHECK: %[[LACK:.*]] = arith.subi %[[FULL]], %[[M]]
// CHECK: %[[EIGHT_TIMES:.*]] = arith.muli %[[LACK]], %c8
// CHECK: %[[LARGE:.*]] = arith.cmpi sgt, %[[EIGHT_TIMES]], %[[M]]
// CHECK: %[[SEVERAL:.*]] = arith.cmpi sgt, %[[ROWS]], %c1
// CHECK: %[[UNEVEN:.*]] = arith.andi %[[LARGE]], %[[SEVERAL]]
// CHECK: %[[FIRST:.*]] = arith.select %[[UNEVEN]], %[[WORKER]], %{{.*}}
// CHECK: %[[END:.*]] = arith.select %[[UNEVEN]], %[[TILES]], %{{.*}}
// CHECK: %[[STEP:.*]] = arith.select %[[UNEVEN]], %[[WORKERS]], %c1
// CHECK: call @stage_0({{.*}}, %[[FIRST]], %[[END]], %[[STEP]])
mega.program @uneven(%a: memref<?x?xf32>, %m: index, %n: index,
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

// Two spaces, of three tiles and of five, are dealt each by itself if nobody has
// more of them then. Else they are numbered in a row, and of the eight a worker
// gets eight times its number divided by that of workers, counted from where
// each space begins.
// CHECK-LABEL: mega.program @spaces(
// CHECK-SAME: %[[WORKER:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WORKERS:[a-z0-9]*]]: index
// CHECK-DAG: %[[C8:.*]] = arith.constant 8 : index
// CHECK: %[[FEW:.*]] = arith.cmpi sgt, %[[WORKERS]], %[[C8]]
// CHECK: %[[PRODUCT:.*]] = arith.muli %[[WORKER]], %[[C8]]
// CHECK: %[[DIVIDED:.*]] = arith.divui %[[PRODUCT]], %[[WORKERS]]
// CHECK: %[[BEGIN:.*]] = arith.select %[[FEW]], %{{.*}}, %[[DIVIDED]]
// CHECK: %[[THREE:.*]] = arith.ceildivui %c3{{.*}}, %[[WORKERS]]
// CHECK: %[[FIVE:.*]] = arith.ceildivui %c5{{.*}}, %[[WORKERS]]
// CHECK: %[[MOST:.*]] = arith.addi %[[THREE]], %[[FIVE]]
// CHECK: %[[EIGHT:.*]] = arith.ceildivui %[[C8]], %[[WORKERS]]
// CHECK: %[[APART:.*]] = arith.cmpi ule, %[[MOST]], %[[EIGHT]]
// CHECK: %[[OWN:.*]] = arith.maxsi %[[BEGIN]], %{{.*}}
// CHECK: %[[WITHIN:.*]] = arith.minsi %[[OWN]], %{{.*}}
// CHECK: %[[OF_THREE:.*]] = arith.muli %[[WORKER]], %c3
// CHECK: %[[OF_ROW:.*]] = arith.divui %[[OF_THREE]], %[[WORKERS]]
// CHECK: %[[SHARE:.*]] = arith.select %[[FEW]], %{{.*}}, %[[OF_ROW]]
// CHECK: %[[FIRST:.*]] = arith.select %[[APART]], %[[SHARE]], %[[WITHIN]]
// CHECK: call @stage_0(%{{.*}}, %[[FIRST]], %{{.*}}, %{{.*}})
// CHECK: %[[BEHIND:.*]] = arith.subi %[[BEGIN]], %{{.*}}
// CHECK: %[[LATER:.*]] = arith.maxsi %[[BEHIND]], %{{.*}}
// CHECK: %[[REST:.*]] = arith.minsi %[[LATER]], %{{.*}}
// CHECK: %[[SECOND:.*]] = arith.select %[[APART]], %{{.*}}, %[[REST]]
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

// Later queries see more keys. Workers take turns with their tiles, and with
// those of the next space go on where the one before, of eight tiles, left off.
// CHECK-LABEL: mega.program @turns(
// CHECK-SAME: %[[WORKER:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WORKERS:[a-z0-9]*]]: index
// CHECK: call @stage_0(%{{.*}}, %[[WORKER]], %{{.*}}, %[[WORKERS]])
// CHECK: %[[PAST:.*]] = arith.remui %{{.*}}, %[[WORKERS]]
// CHECK: %[[AHEAD:.*]] = arith.subi %[[WORKERS]], %[[PAST]]
// CHECK: %[[LATER:.*]] = arith.addi %[[WORKER]], %[[AHEAD]]
// CHECK: %[[TURN:.*]] = arith.remui %[[LATER]], %[[WORKERS]]
// CHECK: call @stage_0(%{{.*}}, %[[TURN]], %{{.*}}, %[[WORKERS]])
!x = memref<4x8x1x32xf32>
!tile = memref<1x4x1x32xf32, strided<[256, 32, 32, 1], offset: ?>>
!row = memref<1x8x1x32xf32, strided<[256, 32, 32, 1], offset: ?>>
mega.program @turns(%q: !x, %kv: !x, %o: !x, %p: !x,
                    %worker: index {ingot.role = "worker"},
                    %workers: index {ingot.role = "workers"},
                    %error: !llvm.ptr {ingot.role = "error"}) {
  mega.stage {
    mega.tiles (%i, %j) in (4, 8) step (1, 4) {
      %a = mega.access read %q[%i, %j, 0, 0] [1, 4, 1, 32] [1, 1, 1, 1] : !x to !tile
      %b = mega.access read %kv[%i, 0, 0, 0] [1, 8, 1, 32] [1, 1, 1, 1] : !x to !row
      %c = mega.access write %o[%i, %j, 0, 0] [1, 4, 1, 32] [1, 1, 1, 1] : !x to !tile
      ingot.attention ins(%a, %b, %b : !tile, !row, !row) offset(%j) outs(%c : !tile)
          {scale = 0.125 : f64, causal = true}
    }
    mega.tiles (%i, %j) in (4, 8) step (1, 4) {
      %a = mega.access read %kv[%i, %j, 0, 0] [1, 4, 1, 32] [1, 1, 1, 1] : !x to !tile
      %b = mega.access read %q[%i, 0, 0, 0] [1, 8, 1, 32] [1, 1, 1, 1] : !x to !row
      %c = mega.access write %p[%i, %j, 0, 0] [1, 4, 1, 32] [1, 1, 1, 1] : !x to !tile
      ingot.attention ins(%a, %b, %b : !tile, !row, !row) offset(%j) outs(%c : !tile)
          {scale = 0.125 : f64, causal = true}
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
// and in front of the others. Explain is told. Six workers at most have a tile that
// reads what each would run for itself. The others do not, and nobody waits for them.
// CHECK-LABEL: mega.program @prologue(
// CHECK-SAME: %[[FEW:[a-z0-9]*]]: i1
// CHECK-SAME: %[[WORKERS:[a-z0-9]*]]: index {ingot.role = "workers"}
// CHECK-SAME: ingot.stages = [{{.*}}sync = "prologue*"{{.*}}sync = "joined prologue*"{{.*}}sync = "barrier*"
// CHECK: %[[DEALT:.*]] = arith.minsi %[[WORKERS]], %c6
// CHECK: %[[READERS:.*]] = arith.minsi %[[WORKERS]], %c6
// CHECK: %[[BUSY:.*]] = arith.select %[[FEW]], %[[READERS]], %[[DEALT]]
// CHECK: %[[READS:.*]] = arith.cmpi slt, %{{.*}}, %[[READERS]]
// CHECK-DAG: %[[FIRST:.*]] = arith.select %[[FEW]], %c0
// CHECK-DAG: %[[ALL:.*]] = arith.select %[[READS]], %c5{{.*}}, %c0
// CHECK-DAG: %[[END:.*]] = arith.select %[[FEW]], %[[ALL]]
// CHECK-DAG: %[[STEP:.*]] = arith.select %[[FEW]], %c1
// CHECK: call @stage_0(%{{.*}}, %[[FIRST]], %[[END]], %[[STEP]])
// CHECK: call @stage_0_0(
// CHECK: %[[OPEN:.*]] = arith.select %[[FEW]], %[[BUSY]], %c0
// CHECK: mega.barrier of %[[BUSY]] unless %[[FEW]]
// CHECK-NOT: arith.select %[[FEW]]
// CHECK: call @stage_0_1(
// CHECK: %[[SUM:.*]] = arith.maxsi %[[OPEN]], %[[READERS]]
// CHECK: mega.barrier of %[[SUM]]
// CHECK-NEXT: return
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
  mega.barrier
  mega.return
}

// -----

// Barriers wait for whoever had something to do since: three of the stage, worker
// 0 for what it does alone, all for what each does; in a loop, for those in front of
// it too. Behind it nothing is open.
// CHECK-LABEL: mega.program @arrivals(
// CHECK-SAME: %[[WORKERS:[a-z0-9]*]]: index {ingot.role = "workers"}
// CHECK: %[[THREE:.*]] = arith.minsi %[[WORKERS]], %c3
// CHECK: call @stage_0(
// CHECK: mega.loop
// CHECK: %[[TWO:.*]] = arith.minsi %[[WORKERS]], %c2
// CHECK: call @stage_0_0(
// CHECK: %[[MORE:.*]] = arith.maxsi %[[THREE]], %[[TWO]]
// CHECK: mega.barrier of %[[MORE]]
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-NEXT: mega.single
// CHECK: mega.barrier of %[[ONE]]
// CHECK: memref.load
// CHECK: mega.barrier{{$}}
// CHECK: mega.barrier of %c0
mega.program @arrivals(%y: memref<6xf32>,
                       %worker: index {ingot.role = "worker"},
                       %workers: index {ingot.role = "workers"},
                       %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  mega.stage {
    mega.tiles (%i) in (6) step (2) {
      %to = mega.access write %y : memref<6xf32> to memref<6xf32>
      memref.store %zero, %to[%i] : memref<6xf32>
    }
  }
  mega.loop %t = 0 to 3 {
    mega.stage {
      mega.tiles (%i) in (6) step (3) {
        %to = mega.access write %y : memref<6xf32> to memref<6xf32>
        memref.store %zero, %to[%i] : memref<6xf32>
      }
    }
    mega.barrier
    mega.single {
      memref.store %zero, %y[%c0] : memref<6xf32>
    }
    mega.barrier
    %0 = memref.load %y[%c0] : memref<6xf32>
    mega.barrier
  }
  mega.barrier
  mega.return
}
