// RUN: ingot-opt %s -ingot-lower-cache-handles -verify-diagnostics

!cache = !ingot.cache<heads = 1, key_depth = 8, value_depth = 8, type = f32, window = 0>

func.func @store(%k: memref<?x1x8xf32>, %rows: memref<1xi64>, %n: index, %cache: !cache) {
  // expected-error @below {{has no kernel and cannot reach its cache}}
  ingot.cache_store <keys> ins(%k : memref<?x1x8xf32>) rows(%n of %n) past(%rows : memref<1xi64>)
      count(%rows : memref<1xi64>) into(%cache : !cache)
  return
}
