// RUN: ingot-opt %s | ingot-opt | FileCheck %s
// Cache handles and the ops on them survive a round trip, on tensors and on
// memrefs.

// CHECK-LABEL: func.func @step(
// CHECK-SAME:    %[[CACHE:[a-z0-9]+]]: !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f16, window = 0>)
func.func @step(%q: tensor<?x?x9x64xf32>, %k: tensor<?x?x3x64xf32>, %past: tensor<?xi64>,
                %count: tensor<?xi64>, %init: tensor<?x?x9x64xf32>,
                %cache: !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f16, window = 0>)
    -> tensor<?x?x9x64xf32> {
  // CHECK: ingot.kv_append ins({{.*}}) past({{.*}}) count({{.*}}) into(%[[CACHE]] :
  ingot.kv_append ins(%k, %k : tensor<?x?x3x64xf32>, tensor<?x?x3x64xf32>)
      past(%past : tensor<?xi64>) count(%count : tensor<?xi64>)
      into(%cache : !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f16, window = 0>)
  // CHECK: ingot.paged_attention ins({{.*}}) past({{.*}}) count({{.*}}) cache(%[[CACHE]] : {{.*}}) outs({{.*}}) {scale = 1.250000e-01 : f64, window = 6 : i64}
  %0 = ingot.paged_attention ins(%q : tensor<?x?x9x64xf32>) past(%past : tensor<?xi64>)
      count(%count : tensor<?xi64>)
      cache(%cache : !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f16, window = 0>)
      outs(%init : tensor<?x?x9x64xf32>) {scale = 0.125 : f64, window = 6 : i64} -> tensor<?x?x9x64xf32>
  return %0 : tensor<?x?x9x64xf32>
}

// CHECK-LABEL: func.func @page(
func.func @page(%cache: !ingot.cache<heads = 3, key_depth = 64, value_depth = 32, type = f32, window = 6>,
                %row: index, %head: index, %page: index, %k: memref<10x1x64xf32>, %v: memref<10x1x32xf32>,
                %past: memref<2xi64>) -> memref<1x64x128xf32> {
  // CHECK: %[[PART:.*]] = ingot.cache_part %{{.*}}[%{{.*}}, %{{.*}}] : <heads = 3, {{.*}} to <heads = 1,
  %0 = ingot.cache_part %cache[%row, %head]
      : !ingot.cache<heads = 3, key_depth = 64, value_depth = 32, type = f32, window = 6>
      to !ingot.cache<heads = 1, key_depth = 64, value_depth = 32, type = f32, window = 6>
  // CHECK: ingot.cache_store <keys> ins({{.*}}) rows(%{{.*}} of %{{.*}}) past({{.*}}) count({{.*}}) into(%[[PART]]
  ingot.cache_store <keys> ins(%k : memref<10x1x64xf32>) rows(%row of %head) past(%past : memref<2xi64>)
      count(%past : memref<2xi64>)
      into(%0 : !ingot.cache<heads = 1, key_depth = 64, value_depth = 32, type = f32, window = 6>)
  // CHECK: ingot.cache_store <values>
  ingot.cache_store <values> ins(%v : memref<10x1x32xf32>) rows(%row of %head) past(%past : memref<2xi64>)
      count(%past : memref<2xi64>)
      into(%0 : !ingot.cache<heads = 1, key_depth = 64, value_depth = 32, type = f32, window = 6>)
  // CHECK: ingot.cache_page %[[PART]][%{{.*}}, %{{.*}}] : {{.*}} to memref<1x64x128xf32>, memref<1x128x32xf32>
  %keys, %values = ingot.cache_page %0[%row, %page]
      : !ingot.cache<heads = 1, key_depth = 64, value_depth = 32, type = f32, window = 6>
      to memref<1x64x128xf32>, memref<1x128x32xf32>
  return %keys : memref<1x64x128xf32>
}

// CHECK-LABEL: func @pages
func.func @pages(%q: tensor<?x6x64xf32>, %r: tensor<?xi64>, %n: index, %o: tensor<?x8x6x34xf32>, %m: tensor<?x6x32xf32>,
                 %cache: !ingot.cache<heads = 3, key_depth = 64, value_depth = 32, type = f32, window = 6>) -> tensor<?x6x32xf32> {
  // CHECK: %[[P:.*]] = ingot.page_attention ins({{.*}}) past({{.*}}) count({{.*}}) pages(%[[N:.*]] from %[[N]]) cache({{.*}}) outs({{.*}}) {scale = 1.250000e-01 : f64, window = 6 : i64}
  %0 = ingot.page_attention ins(%q : tensor<?x6x64xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      pages(%n from %n) cache(%cache : !ingot.cache<heads = 3, key_depth = 64, value_depth = 32, type = f32, window = 6>)
      outs(%o : tensor<?x8x6x34xf32>) {scale = 0.125 : f64, window = 6 : i64} -> tensor<?x8x6x34xf32>
  // CHECK: ingot.merge_pages ins(%[[P]] : {{.*}}) past({{.*}}) count({{.*}}) outs({{.*}}) {window = 6 : i64}
  %1 = ingot.merge_pages ins(%0 : tensor<?x8x6x34xf32>) past(%r : tensor<?xi64>) count(%r : tensor<?xi64>)
      outs(%m : tensor<?x6x32xf32>) {window = 6 : i64} -> tensor<?x6x32xf32>
  return %1 : tensor<?x6x32xf32>
}
