// RUN: ingot-opt %s | ingot-opt | FileCheck %s

// CHECK-LABEL: mega.program @loop(
mega.program @loop(%x: memref<8xf32>, %family: memref<100xi8>) {
  %c36 = arith.constant 36 : index
  // CHECK: mega.loop %[[I:.*]] = 0 to 3 {
  mega.loop %i = 0 to 3 {
    // CHECK: arith.muli %[[I]]
    %at = arith.muli %i, %c36 : index
    %w = memref.view %family[%at][] : memref<100xi8> to memref<7xf32>
    // CHECK: mega.stage
    mega.stage {
      mega.tiles (%j) in (8) step (4) {
        %from = mega.access read %w : memref<7xf32> to memref<7xf32>
        %to = mega.access update %x[%j] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      }
    }
    // CHECK: mega.barrier
    // CHECK-NEXT: } {ingot.note}
    mega.barrier
  } {ingot.note}
  mega.return
}
