// RUN: ingot-opt %s -split-input-file -convert-ingot-to-mega | FileCheck %s

// Attributes of the function and of its arguments stay; a loop over tiles is a
// stage. A part is accessed as that, a gathered table as a whole.
// CHECK-LABEL: mega.program @main(
// CHECK-SAME: %[[X:.*]]: memref<?x4xf32> {ingot.role = "input"}, %[[T:.*]]: memref<9xf32>, %[[Y:.*]]: memref<?x4xf32> {ingot.role = "output"}, %[[N:.*]]: index) -> index
// CHECK-SAME: ingot.state = "kept"
// CHECK: mega.stage {
// CHECK-NEXT: mega.tiles (%[[I:.*]]) in (%[[N]]) step (8) {
// CHECK: %[[TABLE:.*]] = mega.access read %[[T]] : memref<9xf32> to memref<9xf32>
// CHECK: mega.access read %[[X]][%[[I]], 0] [8, 4] [1, 1]
// CHECK: mega.access write %[[Y]][%[[I]], 0] [8, 4] [1, 1]
// CHECK: memref.load %[[TABLE]][%[[I]]]
// CHECK: mega.return %[[N]] : index
func.func @main(%x: memref<?x4xf32> {ingot.role = "input"}, %t: memref<9xf32>,
                %y: memref<?x4xf32> {ingot.role = "output"}, %n: index) -> index
    attributes {ingot.state = "kept"} {
  %c0 = arith.constant 0 : index
  scf.forall (%i) = (0) to (%n) step (8) {
    %from = memref.subview %x[%i, 0] [8, 4] [1, 1]
      : memref<?x4xf32> to memref<8x4xf32, strided<[4, 1], offset: ?>>
    %to = memref.subview %y[%i, 0] [8, 4] [1, 1]
      : memref<?x4xf32> to memref<8x4xf32, strided<[4, 1], offset: ?>>
    %0 = memref.load %t[%i] : memref<9xf32>
    %1 = memref.load %from[%c0, %c0] : memref<8x4xf32, strided<[4, 1], offset: ?>>
    %2 = arith.addf %0, %1 : f32
    memref.store %2, %to[%c0, %c0] : memref<8x4xf32, strided<[4, 1], offset: ?>>
  }
  return %n : index
}

// -----

// Tiles begin at zero; memory of the tile's own needs no access; what is both
// read and written, also through a view, is updated.
// CHECK-LABEL: mega.program @shifted(
// CHECK-SAME: %[[X:.*]]: memref<2x4xf32>
// CHECK: mega.tiles (%[[I:.*]]) in (6) step (1) {
// CHECK: %[[ALL:.*]] = mega.access update %[[X]] : memref<2x4xf32>
// CHECK: %[[J:.*]] = affine.apply #{{.*}}(%[[I]])
// CHECK: memref.alloca
// CHECK: %[[FLAT:.*]] = memref.collapse_shape %[[ALL]]
// CHECK: memref.load %[[FLAT]][%[[J]]]
func.func @shifted(%x: memref<2x4xf32>) {
  scf.forall (%i) = (2) to (8) step (1) {
    %own = memref.alloca() : memref<8xf32>
    %flat = memref.collapse_shape %x [[0, 1]] : memref<2x4xf32> into memref<8xf32>
    %0 = memref.load %flat[%i] : memref<8xf32>
    memref.store %0, %own[%i] : memref<8xf32>
    memref.store %0, %flat[%i] : memref<8xf32>
  }
  return
}

// -----

// Functions that only others call are none.
// CHECK: func.func private @other() {
func.func private @other() {
  return
}
