// RUN: ingot-opt %s --ingot-lower-cache --split-input-file -verify-diagnostics

!cache = !ingot.cache<heads = 1, key_depth = 9000, value_depth = 9000, type = f32, window = 0>

func.func @deep(%q: memref<1x?x1x9000xf32>, %rows: memref<1xi64>, %cache: !cache) {
  // expected-error @below {{needs more scratch than 65536 bytes for depths of 9000 and 9000}}
  ingot.paged_attention ins(%q : memref<1x?x1x9000xf32>) past(%rows : memref<1xi64>) count(%rows : memref<1xi64>)
      cache(%cache : !cache) outs(%q : memref<1x?x1x9000xf32>) {scale = 1.0 : f64}
  return
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 8, value_depth = 8, type = f32, window = 0>

func.func @integers(%k: memref<?x1x8xi32>, %rows: memref<1xi64>, %n: index, %cache: !cache) {
  // expected-error @below {{has no kernel for 'memref<?x1x8xi32>'}}
  ingot.cache_store <keys> ins(%k : memref<?x1x8xi32>) rows(%n of %n) past(%rows : memref<1xi64>)
      count(%rows : memref<1xi64>) into(%cache : !cache)
  return
}
