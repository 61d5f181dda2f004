// RUN: ingot-opt %s -mega-outline-tiles | FileCheck %s

// What stages read and write is told to people: inputs and outputs by name,
// parts of the arena by place and size. Of what each worker may have for itself
// it is the place where they share it. Weights are not listed.
// CHECK: ingot.buffers = [{name = "x"}, {bytes = "seq * 4", offset = "seq * 8 + 64"}, {bytes = "seq * 4", each, offset = "0"}, {name = "y"}]
// CHECK-SAME: reads = array<i64: 0>, {{.*}}writes = array<i64: 1>
// CHECK-SAME: reads = array<i64: 1>, {{.*}}writes = array<i64: 2>
// CHECK-SAME: reads = array<i64: 2, 1>, {{.*}}writes = array<i64: 3>
mega.program @main(%x: memref<?xf32> {ingot.role = "input", ingot.name = "x", ingot.dims = #ingot.dims<seq>},
                   %y: memref<?xf32> {ingot.role = "output", ingot.name = "y"},
                   %w: memref<4xf32> {ingot.role = "weight"}, %few: i1,
                   %arena: memref<?xi8> {ingot.role = "arena"},
                   %worker: index {ingot.role = "worker"},
                   %workers: index {ingot.role = "workers"},
                   %error: !llvm.ptr {ingot.role = "error"}) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = ingot.size <seq>
  %at = affine.apply affine_map<(d0)[s0] -> (d0 * s0 + 64)>(%n)[%c8]
  %own = arith.select %few, %worker, %c0 : index
  %a = memref.view %arena[%at][%n] {ingot.buffer = 0 : i64} : memref<?xi8> to memref<?xf32>
  %b = mega.scratch %arena[%own][%n] each %few {ingot.buffer = 1 : i64} : memref<?xi8> to memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      %from = mega.access read %x : memref<?xf32> to memref<?xf32>
      %weight = mega.access read %w : memref<4xf32> to memref<4xf32>
      %to = mega.access write %a[%i] [1] [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
      %value = memref.load %from[%i] : memref<?xf32>
      memref.store %value, %to[%c0] : memref<1xf32, strided<[1], offset: ?>>
    }
  }
  mega.stage each %few {
    mega.tiles (%i) in (%n) step (1) {
      %from = mega.access read %a : memref<?xf32> to memref<?xf32>
      %to = mega.access write %b[%i] [1] [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
      %value = memref.load %from[%i] : memref<?xf32>
      memref.store %value, %to[%c0] : memref<1xf32, strided<[1], offset: ?>>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      %from = mega.access read %b : memref<?xf32> to memref<?xf32>
      %other = mega.access read %a : memref<?xf32> to memref<?xf32>
      %to = mega.access write %y[%i] [1] [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
      %value = memref.load %from[%i] : memref<?xf32>
      memref.store %value, %to[%c0] : memref<1xf32, strided<[1], offset: ?>>
    }
  }
  mega.return
}
