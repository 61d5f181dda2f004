// RUN: ingot-opt %s -mega-unroll-loops -split-input-file -verify-diagnostics

// Two times are not proof of what a third one does.
mega.program @ends(%x: memref<4xi64> {ingot.role = "shared"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  // expected-error @+1 {{cannot be proved: it may end early, and what it does depends on how often it ran}}
  mega.loop %i = 0 to 9 {
    mega.single {
      memref.store %zero, %x[%i] : memref<4xi64>
    }
    mega.barrier
    %state = memref.load %x[%c0] : memref<4xi64>
    %is_over = arith.cmpi ne, %state, %zero : i64
    mega.until %is_over
  }
  mega.return
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>
mega.program @short(%a: !cache) {
  mega.loop %i = 0 to 2 {
    // expected-error @+1 {{has no cache for number 1}}
    %cache = ingot.cache_member [%i] of %a : !cache
    mega.stage {
      mega.tiles (%j) in (1) step (1) {
        %part = ingot.cache_part %cache[%j, %j] : !cache to !cache
        func.call @use(%part) : (!cache) -> ()
      }
    }
    mega.barrier
  }
  mega.return
}
func.func private @use(!cache)
