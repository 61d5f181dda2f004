// RUN: ingot-opt %s -split-input-file -verify-diagnostics

mega.program @not_last(%k: memref<?x8xi64>, %t: memref<8xf32>) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+1 {{is not the last op of its tile}}
      mega.signal %k : memref<?x8xi64>
      %to = mega.access write %t : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
  }
  mega.return
}

// -----

mega.program @not_first(%k: memref<?x8xi64>, %t: memref<8xf32>) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %t : memref<8xf32> to memref<8xf32>
      // expected-note @+1 {{what touches memory}}
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
      // expected-error @+1 {{comes after what touches memory in its tile}}
      mega.await %k[%c0][%c1] of %c1 : memref<?x8xi64>
    }
  }
  mega.return
}

// -----

mega.program @own(%t: memref<8xf32>) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %c1 = arith.constant 1 : index
      %k = memref.alloc(%c1) : memref<?x8xi64>
      // expected-error @+1 {{has counters of the tile's own}}
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.return
}

// -----

mega.program @fetched(%k: memref<?x8xi64>) {
  mega.prefetch {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+1 {{stands in tiles of no stage}}
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.return
}

// -----

mega.program @type(%k: memref<?xi64>) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+1 {{must be memref<?x8xi64>}}
      mega.signal %k : memref<?xi64>
    }
  }
  mega.return
}

// -----

mega.program @outside(%k: memref<?x8xi64>) {
  // expected-error @+1 {{expects parent op 'mega.tiles'}}
  mega.signal %k : memref<?x8xi64>
  mega.return
}
