// RUN: ingot-opt %s --ingot-lower-cache --split-input-file | FileCheck %s
// RUN: ingot-opt %s --ingot-lower-cache=target=x86-64-v4 --split-input-file | FileCheck %s --check-prefix=WIDE

!half = !ingot.cache<heads = 3, key_depth = 64, value_depth = 40, type = f16, window = 0>

// Keys go to their column one by one, values as vectors, the last overlapping.
// CHECK-LABEL: func @store
func.func @store(%k: memref<?x3x64xf32>, %v: memref<?x3x40xf32>, %past: memref<?xi64>, %count: memref<?xi64>,
                 %first: index, %tokens: index, %cache: !half) {
  // CHECK: arith.divui
  // CHECK: scf.for
  // CHECK:   %[[K:.*]], %{{.*}} = ingot.cache_page
  // CHECK:   %[[ONE:.*]] = arith.truncf %{{.*}} : f32 to f16
  // CHECK:   memref.store %[[ONE]], %[[K]][
  // CHECK:   %{{.*}}, %[[V:.*]] = ingot.cache_page
  // CHECK:   arith.minsi %{{.*}}, %c24
  // CHECK:   %[[SOME:.*]] = arith.truncf %{{.*}} : vector<16xf32> to vector<16xf16>
  // CHECK:   vector.store %[[SOME]], %[[V]][
  // CHECK-NOT: ingot.cache_store
  ingot.cache_store <keys> ins(%k : memref<?x3x64xf32>) rows(%first of %tokens) past(%past : memref<?xi64>)
      count(%count : memref<?xi64>) into(%cache : !half)
  ingot.cache_store <values> ins(%v : memref<?x3x40xf32>) rows(%first of %tokens) past(%past : memref<?xi64>)
      count(%count : memref<?xi64>) into(%cache : !half)
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>

// The three heads of a group share each load; all of a page's keys at a time
// where the registers hold them. A token has no ragged end.
// CHECK-LABEL: func @token
// WIDE-LABEL: func @token
func.func @token(%q: memref<1x1x9x64xf32>, %past: memref<1xi64>, %count: memref<1xi64>, %cache: !cache,
                 %o: memref<1x1x9x64xf32>) {
  // CHECK: memref.alloca_scope
  // CHECK: memref.alloca() {{.*}} : memref<3x64xf32>
  // CHECK: %[[K:.*]], %[[V:.*]] = ingot.cache_page
  // CHECK: scf.for {{.*}} = %c0{{.*}} to %c64{{.*}} step %c1{{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  // CHECK-NOT: memref.prefetch
  // CHECK: vector.load %[[K]]
  // CHECK-COUNT-3: math.fma {{.*}} : vector<16xf32>
  // CHECK-NOT: ingot.paged_attention
  // WIDE: %{{.*}}:24 = scf.for
  // WIDE: %{{.*}}:12 = scf.for
  // WIDE-NOT: %{{.*}}:12 = scf.for
  // WIDE: return
  ingot.paged_attention ins(%q : memref<1x1x9x64xf32>) past(%past : memref<1xi64>) count(%count : memref<1xi64>)
      cache(%cache : !cache) outs(%o : memref<1x1x9x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 32, value_depth = 16, type = f16, window = 50>

// Pages before the window are not visited; a value that a row of the tile does
// not see is not added to it.
// CHECK-LABEL: func @window
func.func @window(%q: memref<1x?x2x32xf16>, %past: memref<1xi64>, %count: memref<1xi64>, %first: index,
                  %cache: !cache, %o: memref<1x?x2x16xf16>) {
  // CHECK: %[[EARLIEST:.*]] = arith.subi %{{.*}}, %c49
  // CHECK: arith.maxsi %[[EARLIEST]]
  // CHECK: ingot.cache_page
  // CHECK: arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
  // CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : vector<16xi1>, vector<16xf32>
  // CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : vector<16xf32>
  // CHECK: arith.truncf %{{.*}} : vector<16xf32> to vector<16xf16>
  ingot.paged_attention ins(%q : memref<1x?x2x32xf16>) past(%past : memref<1xi64>) count(%count : memref<1xi64>)
      first(%first) cache(%cache : !cache) outs(%o : memref<1x?x2x16xf16>) {scale = 0.125 : f64, window = 50 : i64}
  return
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 32, value_depth = 16, type = f32, window = 0>

// Numbers by distance are added to scores; greater distances share the last.
// CHECK-LABEL: func @bias
func.func @bias(%q: memref<1x?x2x32xf32>, %past: memref<1xi64>, %count: memref<1xi64>, %cache: !cache,
                %bias: memref<2x9xf32>, %o: memref<1x?x2x16xf32>) {
  // CHECK: arith.maxsi %{{.*}} : vector<16xi32>
  // CHECK: %[[AT:.*]] = arith.minsi %{{.*}} : vector<16xi32>
  // CHECK: %[[B:.*]] = vector.gather %{{.*}}[%{{.*}}, %c0{{.*}}] [%[[AT]]], %{{.*}} : memref<2x9xf32>
  // CHECK: arith.addf %{{.*}}, %[[B]]
  ingot.paged_attention ins(%q : memref<1x?x2x32xf32>) past(%past : memref<1xi64>) count(%count : memref<1xi64>)
      cache(%cache : !cache) bias(%bias : memref<2x9xf32>) outs(%o : memref<1x?x2x16xf32>) {scale = 0.125 : f64}
  return
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 32, value_depth = 16, type = f32, window = 0, bound = true>

// Of a bound cache every query sees what the last one would.
// CHECK-LABEL: func @bound
func.func @bound(%q: memref<1x?x2x32xf32>, %length: memref<1xi64>, %count: memref<1xi64>, %cache: !cache,
                 %o: memref<1x?x2x16xf32>) {
  // CHECK: %[[LOADED:.*]] = memref.load %arg1
  // CHECK: %[[LENGTH:.*]] = arith.index_cast %[[LOADED]]
  // CHECK: %[[LAST:.*]] = arith.subi %[[LENGTH]], %c1
  // CHECK: memref.store %[[LAST]], %{{.*}} : memref<{{.*}}xindex>
  ingot.paged_attention ins(%q : memref<1x?x2x32xf32>) past(%length : memref<1xi64>) count(%count : memref<1xi64>)
      cache(%cache : !cache) outs(%o : memref<1x?x2x16xf32>) {scale = 0.125 : f64}
  return
}

// -----

!cache = !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>

// A page by itself: neither what was before nor what comes after matters.
// CHECK-LABEL: func @page
func.func @page(%q: memref<1x9x64xf32>, %past: memref<1xi64>, %count: memref<1xi64>, %first: index, %pages: index,
                %cache: !cache, %parts: memref<1x?x9x66xf32>) {
  // CHECK: arith.maxsi %arg3, %{{.*}}
  // CHECK: %[[END:.*]] = arith.addi %arg3, %arg4
  // CHECK: arith.minsi %{{.*}}, %[[END]]
  // CHECK: ingot.cache_page
  // CHECK: memref.store %{{.*}}, %arg6[%{{.*}}, %{{.*}}, %{{.*}}, %c64
  // CHECK: memref.store %{{.*}}, %arg6[%{{.*}}, %{{.*}}, %{{.*}}, %c65
  // CHECK-NOT: ingot.page_attention
  ingot.page_attention ins(%q : memref<1x9x64xf32>) past(%past : memref<1xi64>) count(%count : memref<1xi64>)
      pages(%pages from %first) cache(%cache : !cache) outs(%parts : memref<1x?x9x66xf32>) {scale = 0.125 : f64}
  return
}

// Pages are joined one after the other, each for all heads: their maxima and sums
// are the lanes of a vector.
// CHECK-LABEL: func @merge
func.func @merge(%parts: memref<1x?x9x66xf32>, %past: memref<1xi64>, %count: memref<1xi64>, %o: memref<1x9x64xf32>) {
  // CHECK: %[[RESULTS:.*]] = memref.alloca() {{.*}} : memref<16x64xf32>
  // CHECK: scf.if
  // CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>) {
  // CHECK:   scf.for
  // CHECK:     memref.load %arg0
  // CHECK:   arith.cmpf ogt, {{.*}} : vector<16xf32>
  // CHECK:     vector.load %[[RESULTS]]
  // CHECK:     math.fma {{.*}} : vector<16xf32>
  // CHECK:     vector.store %{{.*}}, %[[RESULTS]]
  // CHECK: arith.divf {{.*}} : vector<16xf32>
  // CHECK: vector.store
  ingot.merge_pages ins(%parts : memref<1x?x9x66xf32>) past(%past : memref<1xi64>) count(%count : memref<1xi64>)
      outs(%o : memref<1x9x64xf32>)
  return
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 64, value_depth = 64, type = f16, window = 0>

// Three rows of a head compute long enough for memory to bring the values while
// they meet the keys, and then the keys of the head behind this one.
// CHECK-LABEL: func @ahead
func.func @ahead(%q: memref<1x3x64xf32>, %past: memref<1xi64>, %count: memref<1xi64>, %first: index, %pages: index,
                 %cache: !cache, %parts: memref<1x?x3x66xf32>) {
  // CHECK: %[[K:.*]], %[[V:.*]] = ingot.cache_page
  // CHECK: memref.prefetch %[[V]][%c0
  // CHECK: vector.load %[[K]]
  // CHECK: memref.prefetch %[[K]][%c1
  // CHECK: return
  ingot.page_attention ins(%q : memref<1x3x64xf32>) past(%past : memref<1xi64>) count(%count : memref<1xi64>)
      pages(%pages from %first) cache(%cache : !cache) outs(%parts : memref<1x?x3x66xf32>) {scale = 0.125 : f64}
  return
}
