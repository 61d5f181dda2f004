// RUN: ingot-opt %s --ingot-plan-memory --split-input-file --verify-diagnostics

// Buffers get their places before anything is computed.
func.func @data(%x: memref<3xindex>, %m: index) {
  %c0 = arith.constant 0 : index
  %f = arith.constant 1.0 : f32
  %b = memref.alloc(%m) : memref<?xindex>
  scf.forall (%i) = (0) to (%m) step (8) {
    memref.store %c0, %b[%i] : memref<?xindex>
  }
  %n = memref.load %b[%c0] : memref<?xindex>
  // expected-error @below {{data-dependent shape: the size of a buffer depends on the data of another}}
  %a = memref.alloc(%n) : memref<?xf32>
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %a[%i] : memref<?xf32>
  }
  return
}

// -----

// Scratch gets one size for all tiles of its stage.
func.func @bound(%x: memref<?xindex>, %m: index) {
  %f = arith.constant 1.0 : f32
  scf.forall (%i) = (0) to (%m) step (8) {
    %n = memref.load %x[%i] : memref<?xindex>
    // expected-error @below {{size has no bound that is known before the stage}}
    %a = memref.alloc(%n) : memref<?xf32>
    memref.store %f, %a[%i] : memref<?xf32>
  }
  return
}
