// RUN: ingot-opt %s -mega-unroll-loops -canonicalize | FileCheck %s

// CHECK-LABEL: mega.program @loop(
// CHECK-SAME: %[[A:[a-z0-9]*]]: !ingot.cache
// CHECK-SAME: %[[B:[a-z0-9]*]]: !ingot.cache
// CHECK-NOT: mega.loop
// CHECK: memref.view %{{.*}}[%c0][]
// CHECK: mega.stage
// CHECK: ingot.cache_part %[[A]]
// CHECK: mega.barrier
// CHECK: memref.view %{{.*}}[%c64][]
// CHECK: mega.stage
// CHECK: ingot.cache_part %[[B]]
// CHECK: mega.barrier
// CHECK-NOT: mega.barrier
!cache = !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>
mega.program @loop(%a: !cache, %b: !cache, %family: memref<76xi8>) {
  %c64 = arith.constant 64 : index
  mega.loop %i = 0 to 2 {
    %at = arith.muli %i, %c64 : index
    %w = memref.view %family[%at][] : memref<76xi8> to memref<3xf32>
    %cache = ingot.cache_member [%i] of %a, %b : !cache
    mega.stage {
      mega.tiles (%j) in (1) step (1) {
        %from = mega.access read %w : memref<3xf32> to memref<3xf32>
        %part = ingot.cache_part %cache[%j, %j] : !cache to !cache
        func.call @use(%from, %part) : (memref<3xf32>, !cache) -> ()
      }
    }
    mega.barrier
  }
  mega.return
}
func.func private @use(memref<3xf32>, !cache)
