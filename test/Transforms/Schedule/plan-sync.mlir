// RUN: ingot-opt %s -split-input-file -mega-plan-sync | FileCheck %s

// What reads waits for what wrote it, also past a stage that does neither; the
// next one that reads the same does not wait again.
// CHECK-LABEL: mega.program @read_after_write(
// CHECK-NOT: mega.barrier
// CHECK: mega.access write %{{.*}}
// CHECK-NOT: mega.barrier
// CHECK: mega.access write %{{.*}}
// CHECK: mega.barrier
// CHECK: mega.access read
// CHECK-NOT: mega.barrier
// CHECK: mega.access read
// CHECK-NOT: mega.barrier
mega.program @read_after_write(%a: memref<8xf32>, %b: memref<8xf32>,
                               %c: memref<8xf32>, %d: memref<8xf32>) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %b : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %a : memref<8xf32> to memref<8xf32>
      %to = mega.access write %c : memref<8xf32> to memref<8xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %a : memref<8xf32> to memref<8xf32>
      %to = mega.access write %d : memref<8xf32> to memref<8xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// An element that each worker reads for itself is written before, and not
// written again until all have read it. One that nobody writes is no matter.
// CHECK-LABEL: mega.program @element(
// CHECK: memref.load %[[X:.*]][
// CHECK-NOT: mega.barrier
// CHECK: mega.stage
// CHECK: mega.barrier
// CHECK: memref.load
// CHECK: mega.barrier
// CHECK: mega.stage
mega.program @element(%x: memref<1xf32>, %a: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %f = memref.load %x[%c0] : memref<1xf32>
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  %g = memref.load %a[%c0] : memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %g, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// What follows a check may rely on it, whatever it touches.
// CHECK-LABEL: mega.program @check(
// CHECK: ingot.check
// CHECK: mega.barrier
// CHECK: mega.stage
mega.program @check(%x: memref<8xi64>, %a: memref<8xf32>) {
  %f = arith.constant 1.0 : f32
  %zero = arith.constant 0 : i64
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %x : memref<8xi64> to memref<8xi64>
      %0 = memref.load %from[%i] : memref<8xi64>
      %1 = arith.cmpi sge, %0, %zero : i64
      ingot.check %1, "index out of range"
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// Of buffers that are each worker's own under a condition, readers wait where it
// does not hold. Whoever writes what such a stage read waits in any case: where
// nobody met, some may still be reading.
// CHECK-LABEL: mega.program @each(
// CHECK-SAME: %[[FEW:[a-z0-9]*]]: i1
// CHECK: mega.stage each
// CHECK: mega.barrier unless %[[FEW]]
// CHECK: mega.stage {
// CHECK-NOT: unless
// CHECK: mega.barrier
// CHECK: mega.stage {
mega.program @each(%x: memref<8xf32>, %y: memref<8xf32>, %few: i1) {
  %f = arith.constant 1.0 : f32
  %t = mega.alloc_each %few() : memref<8xf32>
  mega.stage each %few {
    mega.tiles (%i) in (8) step (8) {
      %from = mega.access read %x : memref<8xf32> to memref<8xf32>
      %to = mega.access write %t : memref<8xf32> to memref<8xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %t : memref<8xf32> to memref<8xf32>
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %x : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// A loop waits for what its body needs, in front of it, and all workers meet at
// its end: what one time writes the next one reads.
// CHECK-LABEL: mega.program @loop(
// CHECK: mega.stage
// CHECK: mega.barrier{{$}}
// CHECK-NEXT: mega.loop
// CHECK-NEXT: mega.stage
// CHECK: mega.barrier{{$}}
// CHECK-NEXT: mega.stage
// CHECK: mega.barrier{{$}}
// CHECK-NEXT: }
// CHECK-NOT: mega.barrier
mega.program @loop(%a: memref<8xf32>, %b: memref<8xf32>, %c: memref<8xf32>) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.loop %l = 0 to 4 {
    mega.stage {
      mega.tiles (%i) in (8) step (1) {
        %from = mega.access read %a : memref<8xf32> to memref<8xf32>
        %to = mega.access write %b : memref<8xf32> to memref<8xf32>
        %0 = memref.load %from[%i] : memref<8xf32>
        memref.store %0, %to[%i] : memref<8xf32>
      }
    }
    mega.stage {
      mega.tiles (%i) in (8) step (1) {
        %from = mega.access read %b : memref<8xf32> to memref<8xf32>
        %to = mega.access write %a : memref<8xf32> to memref<8xf32>
        %0 = memref.load %from[%i] : memref<8xf32>
        memref.store %0, %to[%i] : memref<8xf32>
      }
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %a : memref<8xf32> to memref<8xf32>
      %to = mega.access write %c : memref<8xf32> to memref<8xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// Where a prologue is dealt, all meet behind it; what the stage needs from before
// it all wait for in front, and what comes later and reads what a prologue wrote
// does not wait again. The second prologue reads nothing of the first.
// CHECK-LABEL: mega.program @prologue(
// CHECK-SAME: %[[FEW:[a-z0-9]*]]: i1, %[[ONE:[a-z0-9]*]]: i1
// CHECK: mega.stage {
// CHECK: mega.barrier{{$}}
// CHECK: %[[BOTH:.*]] = arith.andi %[[FEW]], %[[ONE]]
// CHECK-NEXT: mega.stage prologue each %[[FEW]] {
// CHECK-NOT: mega.barrier
// CHECK: } prologue each %[[ONE]] {
// CHECK: mega.barrier unless %[[BOTH]]
// CHECK-NEXT: } {
// CHECK-NOT: mega.barrier
mega.program @prologue(%x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>,
                       %few: i1, %one: i1) {
  %f = arith.constant 1.0 : f32
  %s = mega.alloc_each %few() : memref<8xf32>
  %t = mega.alloc_each %one() : memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %x : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.stage prologue each %few {
    mega.tiles (%i) in (8) step (8) {
      %to = mega.access write %s : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  } prologue each %one {
    mega.tiles (%i) in (8) step (8) {
      %to = mega.access write %t : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  } {
    mega.tiles (%i) in (8) step (1) {
      %a = mega.access read %s : memref<8xf32> to memref<8xf32>
      %b = mega.access read %t : memref<8xf32> to memref<8xf32>
      %c = mega.access read %x : memref<8xf32> to memref<8xf32>
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      %0 = memref.load %a[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %s : memref<8xf32> to memref<8xf32>
      %to = mega.access write %z : memref<8xf32> to memref<8xf32>
      %0 = memref.load %from[%i] : memref<8xf32>
      memref.store %0, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

// One that checks something is waited for.
// CHECK-LABEL: mega.program @prologue_check(
// CHECK: ingot.check
// CHECK: mega.barrier{{$}}
// CHECK-NEXT: } {
mega.program @prologue_check(%few: i1, %y: memref<8xf32>) {
  %f = arith.constant 1.0 : f32
  mega.stage prologue each %few {
    mega.tiles (%i) in (8) step (8) {
      ingot.check %few, "no"
    }
  } {
    mega.tiles (%i) in (8) step (1) {
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      memref.store %f, %to[%i] : memref<8xf32>
    }
  }
  mega.return
}
