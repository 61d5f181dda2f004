// RUN: ingot-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{a cache needs heads and depths above zero}}
func.func private @f(!ingot.cache<heads = 0, key_depth = 64, value_depth = 64, type = f32, window = 0>)

// -----

// expected-error @+1 {{a cache holds f32 or f16, not 'i8'}}
func.func private @f(!ingot.cache<heads = 1, key_depth = 64, value_depth = 64, type = i8, window = 0>)

// -----

// expected-error @+1 {{a cache has a negative window}}
func.func private @f(!ingot.cache<heads = 1, key_depth = 64, value_depth = 64, type = f32, window = -1>)

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
!other = !ingot.cache<heads = 4, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @part(%c: !cache, %i: index) -> !other {
  // expected-error @+1 {{makes '!ingot.cache<heads = 4, key_depth = 4, value_depth = 4, type = f32, window = 0>' of}}
  %0 = ingot.cache_part %c[%i, %i] : !cache to !other
  return %0 : !other
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @page(%c: !cache, %i: index) {
  // expected-error @+1 {{gives 'memref<3x4x128xf32>' and 'memref<3x128x4xf32>'}}
  %0, %1 = ingot.cache_page %c[%i, %i] : !cache to memref<3x128x4xf32>, memref<3x128x4xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @rank(%c: !cache, %k: tensor<?x3x4xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{needs keys and values of rank 4}}
  ingot.kv_append ins(%k, %k : tensor<?x3x4xf32>, tensor<?x3x4xf32>) past(%r : tensor<?xi64>)
      count(%r : tensor<?xi64>) into(%c : !cache)
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @fit(%c: !cache, %k: tensor<?x2x3x4xf32>, %v: tensor<?x1x3x4xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{has keys and values that do not fit together}}
  ingot.kv_append ins(%k, %v : tensor<?x2x3x4xf32>, tensor<?x1x3x4xf32>) past(%r : tensor<?xi64>)
      count(%r : tensor<?xi64>) into(%c : !cache)
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @depth(%c: !cache, %k: tensor<?x2x3x5xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{appends 'tensor<?x2x3x5xf32>' and 'tensor<?x2x3x5xf32>' to}}
  ingot.kv_append ins(%k, %k : tensor<?x2x3x5xf32>, tensor<?x2x3x5xf32>) past(%r : tensor<?xi64>)
      count(%r : tensor<?xi64>) into(%c : !cache)
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @rows(%c: !cache, %k: tensor<2x?x3x4xf32>, %r: tensor<2xi32>) {
  // expected-error @+1 {{needs one i64 for each row of 'tensor<2x?x3x4xf32>', not 'tensor<2xi32>'}}
  ingot.kv_append ins(%k, %k : tensor<2x?x3x4xf32>, tensor<2x?x3x4xf32>) past(%r : tensor<2xi32>)
      count(%r : tensor<2xi32>) into(%c : !cache)
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @asks(%c: !cache, %q: tensor<?x?x6x5xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{asks with 'tensor<?x?x6x5xf32>' for keys of}}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x6x5xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      cache(%c : !cache) outs(%q : tensor<?x?x6x5xf32>) {scale = 1.0 : f64} -> tensor<?x?x6x5xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @heads(%c: !cache, %q: tensor<?x?x5x4xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{has 5 query heads for 3 key heads}}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x5x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      cache(%c : !cache) outs(%q : tensor<?x?x5x4xf32>) {scale = 1.0 : f64} -> tensor<?x?x5x4xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @negative(%c: !cache, %q: tensor<?x?x6x4xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{has a negative window}}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x6x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      cache(%c : !cache) outs(%q : tensor<?x?x6x4xf32>) {scale = 1.0 : f64, window = -2 : i64} -> tensor<?x?x6x4xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 8>
func.func @window(%c: !cache, %q: tensor<?x?x6x4xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{sees more than the last 8 positions, which the cache keeps}}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x6x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      cache(%c : !cache) outs(%q : tensor<?x?x6x4xf32>) {scale = 1.0 : f64} -> tensor<?x?x6x4xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 2, type = f32, window = 0>
func.func @destination(%c: !cache, %q: tensor<?x?x6x4xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{has a destination of type 'tensor<?x?x6x4xf32>' for a result of type 'tensor<?x?x6x2xf32>'}}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x6x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      cache(%c : !cache) outs(%q : tensor<?x?x6x4xf32>) {scale = 1.0 : f64} -> tensor<?x?x6x4xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @bias(%c: !cache, %q: tensor<?x?x6x4xf32>, %r: tensor<?xi64>, %b: tensor<3x9xf32>) {
  // expected-error @+1 {{needs numbers for each head of 'tensor<?x?x6x4xf32>' and distance, not 'tensor<3x9xf32>'}}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x6x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      cache(%c : !cache) bias(%b : tensor<3x9xf32>) outs(%q : tensor<?x?x6x4xf32>) {scale = 1.0 : f64} -> tensor<?x?x6x4xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 0, bound = true>
func.func @bound(%c: !cache, %q: tensor<?x?x6x4xf32>, %r: tensor<?xi64>, %b: tensor<6x9xf32>) {
  // expected-error @+1 {{has a bias by distance over a bound cache}}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x6x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      cache(%c : !cache) bias(%b : tensor<6x9xf32>) outs(%q : tensor<?x?x6x4xf32>) {scale = 1.0 : f64} -> tensor<?x?x6x4xf32>
  return
}

// -----

// expected-error @+1 {{a bound cache has no window}}
func.func @type(%c: !ingot.cache<heads = 3, key_depth = 4, value_depth = 4, type = f32, window = 8, bound = true>) {
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 5, type = f32, window = 0>
func.func @store(%c: !cache, %v: tensor<?x3x4xf32>, %r: tensor<?xi64>, %n: index) {
  // expected-error @+1 {{puts 'tensor<?x3x4xf32>' into}}
  ingot.cache_store <values> ins(%v : tensor<?x3x4xf32>) rows(%n of %n) past(%r : tensor<?xi64>)
      count(%r : tensor<?xi64>) into(%c : !cache)
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 5, type = f32, window = 0>
func.func @store_rows(%c: !cache, %k: tensor<?x3x4xf32>, %r: tensor<?xi32>, %n: index) {
  // expected-error @+1 {{needs one i64 for each row, not 'tensor<?xi32>'}}
  ingot.cache_store <keys> ins(%k : tensor<?x3x4xf32>) rows(%n of %n) past(%r : tensor<?xi32>)
      count(%r : tensor<?xi32>) into(%c : !cache)
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 5, type = f32, window = 0>
func.func @page(%c: !cache, %q: tensor<?x6x4xf32>, %r: tensor<?xi64>, %n: index, %o: tensor<?x2x6x6xf32>) {
  // expected-error @+1 {{has a destination of type 'tensor<?x2x6x6xf32>' for a result of type 'tensor<?x?x6x7xf32>'}}
  %0 = ingot.page_attention ins(%q : tensor<?x6x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      pages(%n from %n) cache(%c : !cache) outs(%o : tensor<?x2x6x6xf32>) {scale = 1.0 : f64} -> tensor<?x2x6x6xf32>
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 4, value_depth = 5, type = f32, window = 0>
func.func @page_heads(%c: !cache, %q: tensor<?x4x4xf32>, %r: tensor<?xi64>, %n: index, %o: tensor<?x2x4x7xf32>) {
  // expected-error @+1 {{has 4 query heads for 3 key heads}}
  %0 = ingot.page_attention ins(%q : tensor<?x4x4xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      pages(%n from %n) cache(%c : !cache) outs(%o : tensor<?x2x4x7xf32>) {scale = 1.0 : f64} -> tensor<?x2x4x7xf32>
  return
}

// -----

func.func @merge(%p: tensor<?x2x4x7xf32>, %r: tensor<?xi64>, %o: tensor<?x4x7xf32>) {
  // expected-error @+1 {{makes 'tensor<?x4x7xf32>' of 'tensor<?x2x4x7xf32>'}}
  %0 = ingot.merge_pages ins(%p : tensor<?x2x4x7xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      outs(%o : tensor<?x4x7xf32>) -> tensor<?x4x7xf32>
  return
}
