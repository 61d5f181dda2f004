// RUN: ingot-opt %s -split-input-file -mega-merge-stages | FileCheck %s

// Two readers of one buffer do not wait for each other; what reads both does.
// CHECK-LABEL: mega.program @readers(
// CHECK: mega.stage {
// CHECK-NEXT: mega.tiles
// CHECK-NOT: mega.stage
// CHECK: mega.tiles
// CHECK: mega.stage {
// CHECK-NEXT: mega.tiles
// CHECK-NOT: mega.stage
mega.program @readers(%x: memref<?xf32>, %a: memref<?xf32>, %b: memref<?xf32>, %n: index) {
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %x_in = mega.access read %x : memref<?xf32> to memref<?xf32>
      %a_out = mega.access write %a : memref<?xf32> to memref<?xf32>
      %0 = memref.load %x_in[%i] : memref<?xf32>
      memref.store %0, %a_out[%i] : memref<?xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %x_in = mega.access read %x : memref<?xf32> to memref<?xf32>
      %b_out = mega.access write %b : memref<?xf32> to memref<?xf32>
      %0 = memref.load %x_in[%i] : memref<?xf32>
      memref.store %0, %b_out[%i] : memref<?xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %a_io = mega.access update %a : memref<?xf32> to memref<?xf32>
      %b_in = mega.access read %b : memref<?xf32> to memref<?xf32>
      %0 = memref.load %a_io[%i] : memref<?xf32>
      %1 = memref.load %b_in[%i] : memref<?xf32>
      %2 = arith.addf %0, %1 : f32
      memref.store %2, %a_io[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// The third stage writes what the first reads, though the second does not.
// CHECK-LABEL: mega.program @write_after_read(
// CHECK-COUNT-2: mega.stage
// CHECK-NOT: mega.stage
mega.program @write_after_read(%x: memref<?xf32>, %a: memref<?xf32>, %b: memref<?xf32>, %n: index) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %x_in = mega.access read %x : memref<?xf32> to memref<?xf32>
      %a_out = mega.access write %a : memref<?xf32> to memref<?xf32>
      %0 = memref.load %x_in[%i] : memref<?xf32>
      memref.store %0, %a_out[%i] : memref<?xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %b_out = mega.access write %b : memref<?xf32> to memref<?xf32>
      memref.store %f, %b_out[%i] : memref<?xf32>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %x_out = mega.access write %x : memref<?xf32> to memref<?xf32>
      memref.store %f, %x_out[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// Halves of one buffer, seen through views, are told apart; a part of unknown
// place is not.
// CHECK-LABEL: mega.program @parts(
// CHECK: mega.stage
// CHECK-NEXT: mega.tiles
// CHECK: mega.tiles
// CHECK: mega.stage
// CHECK-NEXT: mega.tiles
// CHECK-NOT: mega.tiles
mega.program @parts(%x: memref<4x64xf32>, %at: index) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %low = memref.subview %x[0, 0] [4, 32] [1, 1]
    : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1]>>
  %high = memref.subview %x[0, 32] [4, 32] [1, 1]
    : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1], offset: 32>>
  %any = memref.subview %x[0, %at] [4, 32] [1, 1]
    : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1], offset: ?>>
  mega.stage {
    mega.tiles (%i) in (4) step (1) {
      %row = mega.access write %low[%i, 0] [1, 32] [1, 1]
        : memref<4x32xf32, strided<[64, 1]>> to memref<1x32xf32, strided<[64, 1], offset: ?>>
      memref.store %f, %row[%c0, %c0] : memref<1x32xf32, strided<[64, 1], offset: ?>>
    }
  }
  mega.stage {
    mega.tiles (%i) in (4) step (1) {
      %high_out = mega.access write %high : memref<4x32xf32, strided<[64, 1], offset: 32>> to memref<4x32xf32, strided<[64, 1], offset: 32>>
      memref.store %f, %high_out[%i, %c0] : memref<4x32xf32, strided<[64, 1], offset: 32>>
    }
  }
  mega.stage {
    mega.tiles (%i) in (4) step (1) {
      %any_out = mega.access write %any : memref<4x32xf32, strided<[64, 1], offset: ?>> to memref<4x32xf32, strided<[64, 1], offset: ?>>
      memref.store %f, %any_out[%i, %c0] : memref<4x32xf32, strided<[64, 1], offset: ?>>
    }
  }
  mega.return
}

// -----

// What follows a check may rely on it, whatever it touches.
// CHECK-LABEL: mega.program @checked(
// CHECK-COUNT-2: mega.stage
mega.program @checked(%x: memref<?xi64>, %a: memref<?xf32>, %n: index) {
  %f = arith.constant 1.0 : f32
  %zero = arith.constant 0 : i64
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %x_in = mega.access read %x : memref<?xi64> to memref<?xi64>
      %0 = memref.load %x_in[%i] : memref<?xi64>
      %1 = arith.cmpi sge, %0, %zero : i64
      ingot.check %1, "index out of range"
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %a_out = mega.access write %a : memref<?xf32> to memref<?xf32>
      memref.store %f, %a_out[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// A part of a cache is the cache; its keys are not its values.
!cache = !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 0>
!head = !ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>
// CHECK-LABEL: mega.program @caches(
// CHECK: mega.stage
// CHECK-NOT: mega.stage
// CHECK: cache_store <keys>
// CHECK-NOT: mega.stage
// CHECK: cache_store <values>
// CHECK: mega.stage
// CHECK: paged_attention
mega.program @caches(%k: memref<1x2x4xf32>, %past: memref<1xi64>, %count: memref<1xi64>,
                     %q: memref<1x1x1x4xf32>, %out: memref<1x1x1x4xf32>, %cache: !cache) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %k : memref<1x2x4xf32> to memref<1x2x4xf32>
      %1 = mega.access read %past : memref<1xi64> to memref<1xi64>
      %2 = mega.access read %count : memref<1xi64> to memref<1xi64>
      ingot.cache_store <keys> ins(%0 : memref<1x2x4xf32>) rows(%i of %c1)
        past(%1 : memref<1xi64>) count(%2 : memref<1xi64>) into(%cache : !cache)
    }
  }
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %k : memref<1x2x4xf32> to memref<1x2x4xf32>
      %1 = mega.access read %past : memref<1xi64> to memref<1xi64>
      %2 = mega.access read %count : memref<1xi64> to memref<1xi64>
      ingot.cache_store <values> ins(%0 : memref<1x2x4xf32>) rows(%i of %c1)
        past(%1 : memref<1xi64>) count(%2 : memref<1xi64>) into(%cache : !cache)
    }
  }
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %q : memref<1x1x1x4xf32> to memref<1x1x1x4xf32>
      %1 = mega.access read %past : memref<1xi64> to memref<1xi64>
      %2 = mega.access read %count : memref<1xi64> to memref<1xi64>
      %3 = mega.access write %out : memref<1x1x1x4xf32> to memref<1x1x1x4xf32>
      %head = ingot.cache_part %cache[%c0, %i] : !cache to !head
      ingot.paged_attention ins(%0 : memref<1x1x1x4xf32>) past(%1 : memref<1xi64>)
        count(%2 : memref<1xi64>) cache(%head : !head)
        outs(%3 : memref<1x1x1x4xf32>) {scale = 1.0 : f64}
    }
  }
  mega.return
}

// -----

// A call may touch anything.
func.func private @unknown()
// CHECK-LABEL: mega.program @calls(
// CHECK-COUNT-2: mega.stage
mega.program @calls(%a: memref<?xf32>, %b: memref<?xf32>, %n: index) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      func.call @unknown() : () -> ()
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %a_out = mega.access write %a : memref<?xf32> to memref<?xf32>
      memref.store %f, %a_out[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// What each worker runs for itself and what is dealt stay apart, and a stage with
// a prologue joins none; one may join it.
// CHECK-LABEL: mega.program @each(
// CHECK: mega.stage each
// CHECK: mega.stage {
// CHECK: mega.stage prologue each
// CHECK: } {
// CHECK-NEXT: mega.tiles (%{{.*}}) in (4)
// CHECK: mega.tiles (%{{.*}}) in (5)
// CHECK-NOT: mega.stage
mega.program @each(%p: i1) {
  mega.stage each %p {
    mega.tiles (%i) in (1) step (1) {
    }
  }
  mega.stage {
    mega.tiles (%i) in (2) step (1) {
    }
  }
  mega.stage prologue each %p {
    mega.tiles (%i) in (3) step (1) {
    }
  } {
    mega.tiles (%i) in (4) step (1) {
    }
  }
  mega.stage {
    mega.tiles (%i) in (5) step (1) {
    }
  }
  mega.return
}
