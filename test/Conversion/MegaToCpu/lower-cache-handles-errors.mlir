// RUN: ingot-opt %s -ingot-lower-cache-handles -verify-diagnostics

!cache = !ingot.cache<heads = 1, key_depth = 8, value_depth = 8, type = f32, window = 0>

func.func @append(%k: memref<1x?x1x8xf32>, %rows: memref<1xi64>, %cache: !cache) {
  // expected-error @below {{has no kernel and cannot reach its cache}}
  ingot.kv_append ins(%k, %k : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>) past(%rows : memref<1xi64>)
      count(%rows : memref<1xi64>) into(%cache : !cache)
  return
}
