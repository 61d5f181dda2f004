// RUN: ingot-opt %s -split-input-file -mega-plan-memory -cse | FileCheck %s

// What is carried from one time to the next lies apart from all that the body
// makes; what that makes shares a slot once it is dead, and with what comes
// behind the loop.
// CHECK-LABEL: mega.program @carried(
// CHECK-SAME: %[[A:[a-z0-9]*]]: memref<?xi8> {ingot.role = "arena"}
// CHECK: %[[ZERO:.*]] = arith.constant 0
// CHECK: %[[C64:.*]] = arith.constant 64
// CHECK: %[[C128:.*]] = arith.constant 128
// CHECK: memref.view %[[A]][%[[ZERO]]][] {ingot.buffer = 0 : i64}
// CHECK: mega.loop
// CHECK: memref.view %[[A]][%[[C64]]][] {ingot.buffer = 1 : i64}
// CHECK: memref.view %[[A]][%[[C128]]][] {ingot.buffer = 2 : i64}
// CHECK: memref.view %[[A]][%[[C64]]][] {ingot.buffer = 3 : i64}
// CHECK: mega.return
mega.program @carried(%in: memref<16xf32>, %out: memref<16xf32>) {
  %x = memref.alloc() : memref<16xf32>
  mega.stage {
    mega.tiles (%i) in (16) step (1) {
      %from = mega.access read %in : memref<16xf32> to memref<16xf32>
      %to = mega.access write %x : memref<16xf32> to memref<16xf32>
      linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
    }
  }
  mega.barrier
  mega.loop %l = 0 to 4 {
    %a = memref.alloc() : memref<16xf32>
    mega.stage {
      mega.tiles (%i) in (16) step (1) {
        %from = mega.access read %x : memref<16xf32> to memref<16xf32>
        %to = mega.access write %a : memref<16xf32> to memref<16xf32>
        linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
      }
    }
    mega.barrier
    %b = memref.alloc() : memref<16xf32>
    mega.stage {
      mega.tiles (%i) in (16) step (1) {
        %from = mega.access read %a : memref<16xf32> to memref<16xf32>
        %to = mega.access write %b : memref<16xf32> to memref<16xf32>
        linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
      }
    }
    mega.barrier
    %c = memref.alloc() : memref<16xf32>
    mega.stage {
      mega.tiles (%i) in (16) step (1) {
        %from = mega.access read %b : memref<16xf32> to memref<16xf32>
        %to = mega.access write %c : memref<16xf32> to memref<16xf32>
        linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
      }
    }
    mega.barrier
    mega.stage {
      mega.tiles (%i) in (16) step (1) {
        %from = mega.access read %c : memref<16xf32> to memref<16xf32>
        %to = mega.access write %x : memref<16xf32> to memref<16xf32>
        linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
      }
    }
    mega.barrier
  }
  mega.stage {
    mega.tiles (%i) in (16) step (1) {
      %from = mega.access read %x : memref<16xf32> to memref<16xf32>
      %to = mega.access write %out : memref<16xf32> to memref<16xf32>
      linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
    }
  }
  mega.return
}

// -----

// What is written in front of a loop and read in it is read every time: it
// keeps its place until the loop ends, though its last use comes early.
// CHECK-LABEL: mega.program @invariant(
// CHECK-SAME: %[[A:[a-z0-9]*]]: memref<?xi8> {ingot.role = "arena"}
// CHECK: %[[ZERO:.*]] = arith.constant 0
// CHECK: %[[C64:.*]] = arith.constant 64
// CHECK: memref.view %[[A]][%[[ZERO]]][]
// CHECK: mega.loop
// CHECK: memref.view %[[A]][%[[C64]]][]
mega.program @invariant(%in: memref<16xf32>, %out: memref<16xf32>) {
  %x = memref.alloc() : memref<16xf32>
  mega.stage {
    mega.tiles (%i) in (16) step (1) {
      %from = mega.access read %in : memref<16xf32> to memref<16xf32>
      %to = mega.access write %x : memref<16xf32> to memref<16xf32>
      linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
    }
  }
  mega.barrier
  mega.loop %l = 0 to 4 {
    mega.stage {
      mega.tiles (%i) in (16) step (1) {
        %from = mega.access read %x : memref<16xf32> to memref<16xf32>
        %to = mega.access update %out : memref<16xf32> to memref<16xf32>
        linalg.add ins(%from, %to : memref<16xf32>, memref<16xf32>) outs(%to : memref<16xf32>)
      }
    }
    mega.barrier
    %a = memref.alloc() : memref<16xf32>
    mega.stage {
      mega.tiles (%i) in (16) step (1) {
        %from = mega.access read %out : memref<16xf32> to memref<16xf32>
        %to = mega.access write %a : memref<16xf32> to memref<16xf32>
        linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
      }
    }
    mega.barrier
    mega.stage {
      mega.tiles (%i) in (16) step (1) {
        %from = mega.access read %a : memref<16xf32> to memref<16xf32>
        %to = mega.access write %out : memref<16xf32> to memref<16xf32>
        linalg.copy ins(%from : memref<16xf32>) outs(%to : memref<16xf32>)
      }
    }
    mega.barrier
  }
  mega.return
}
