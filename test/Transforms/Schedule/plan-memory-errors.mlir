// RUN: ingot-opt %s --mega-plan-memory --split-input-file --verify-diagnostics

// Buffers get their places before anything is computed.
mega.program @data(%x: memref<3xindex>, %m: index) {
  %c0 = arith.constant 0 : index
  %f = arith.constant 1.0 : f32
  %b = memref.alloc(%m) : memref<?xindex>
  mega.stage {
    mega.tiles (%i) in (%m) step (8) {
      %b_out = mega.access write %b : memref<?xindex> to memref<?xindex>
      memref.store %c0, %b_out[%i] : memref<?xindex>
    }
  }
  %n = memref.load %b[%c0] : memref<?xindex>
  // expected-error @below {{data-dependent shape: the size of a buffer depends on the data of another}}
  %a = memref.alloc(%n) : memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %a_out = mega.access write %a : memref<?xf32> to memref<?xf32>
      memref.store %f, %a_out[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// Scratch gets one size for all tiles of its stage.
mega.program @bound(%x: memref<?xindex>, %m: index) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (%m) step (8) {
      %x_in = mega.access read %x : memref<?xindex> to memref<?xindex>
      %n = memref.load %x_in[%i] : memref<?xindex>
      // expected-error @below {{size has no bound that is known before the stage}}
      %a = memref.alloc(%n) : memref<?xf32>
      memref.store %f, %a[%i] : memref<?xf32>
    }
  }
  mega.return
}
