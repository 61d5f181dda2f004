// RUN: ingot-opt %s --convert-ingot-to-linalg --split-input-file --verify-diagnostics | FileCheck %s

!cache = !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f16, window = 0>

// Kernels compute in f32, whatever the model's type and that of the cache.
// CHECK-LABEL: @step
// CHECK: ingot.cache_store <keys> ins(%{{.*}} : tensor<3x2x4xf32>) rows(%c0 of %c3) past(%arg2 : tensor<1xi64>) count(%arg3 : tensor<1xi64>) into(%arg4
// CHECK: ingot.cache_store <values> ins(%{{.*}} : tensor<3x2x4xf32>) rows(%c0 of %c3) past(%arg2 : tensor<1xi64>) count(%arg3 : tensor<1xi64>) into(%arg4
// CHECK: arith.extf
// CHECK: %[[A:.*]] = ingot.paged_attention ins(%{{.*}} : tensor<1x3x4x4xf32>) {{.*}} {scale = 5.000000e-01 : f64, softcap = 5.000000e+00 : f64, window = 6 : i64} -> tensor<1x3x4x4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[A]] : tensor<1x3x4x4xf32>)
// CHECK: arith.truncf
func.func @step(%q: tensor<1x3x4x4xf16>, %k: tensor<1x3x2x4xf16>, %past: tensor<1xi64>, %count: tensor<1xi64>,
                %cache: !cache) -> tensor<1x3x4x4xf16> {
  ingot.kv_append ins(%k, %k : tensor<1x3x2x4xf16>, tensor<1x3x2x4xf16>)
      past(%past : tensor<1xi64>) count(%count : tensor<1xi64>) into(%cache : !cache)
  %init = tensor.empty() : tensor<1x3x4x4xf16>
  %0 = ingot.paged_attention ins(%q : tensor<1x3x4x4xf16>) past(%past : tensor<1xi64>)
      count(%count : tensor<1xi64>) cache(%cache : !cache) outs(%init : tensor<1x3x4x4xf16>)
      {scale = 0.5 : f64, softcap = 5.0 : f64, window = 6 : i64} -> tensor<1x3x4x4xf16>
  return %0 : tensor<1x3x4x4xf16>
}

// -----

!cache = !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 0>

func.func @doubles(%k: tensor<1x3x2x4xf64>, %past: tensor<1xi64>, %cache: !cache) {
  // expected-error @below {{unsupported dtype: a cache of f64}}
  ingot.kv_append ins(%k, %k : tensor<1x3x2x4xf64>, tensor<1x3x2x4xf64>)
      past(%past : tensor<1xi64>) count(%past : tensor<1xi64>) into(%cache : !cache)
  return
}

// -----

!cache = !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f16, window = 0>

// Of one query a row, pages are attended to by themselves, as many as the
// longest row has, where the model says how many that may be.
// CHECK-LABEL: @token
// CHECK: %[[MOST:.*]] = tensor.extract %{{.*}}[] : tensor<i64>
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[MOST]] : i64 to index
// CHECK: %[[ROOM:.*]] = arith.minsi %[[INDEX]], %c3
// CHECK: %[[PAGES:.*]] = arith.maxsi %[[ROOM]], %c0
// CHECK: %[[PARTS:.*]] = ingot.page_attention ins(%{{.*}} : tensor<2x4x4xf32>) {{.*}} pages(%[[PAGES]] from %c0{{.*}}) {{.*}} -> tensor<2x3x4x6xf32>
// CHECK: %[[SEEN:.*]] = tensor.extract_slice %[[PARTS]][0, 0, 0, 0] [2, %[[PAGES]], 4, 6] [1, 1, 1, 1]
// CHECK: ingot.merge_pages ins(%[[SEEN]] : {{.*}} -> tensor<2x4x4xf32>
func.func @token(%q: tensor<2x1x4x4xf32>, %past: tensor<2xi64>, %count: tensor<2xi64>,
                 %cache: !cache) -> tensor<2x1x4x4xf32> attributes {ingot.state = {max_positions = 300 : i64}} {
  %init = tensor.empty() : tensor<2x1x4x4xf32>
  %0 = ingot.paged_attention ins(%q : tensor<2x1x4x4xf32>) past(%past : tensor<2xi64>)
      count(%count : tensor<2xi64>) cache(%cache : !cache) outs(%init : tensor<2x1x4x4xf32>)
      {scale = 0.5 : f64} -> tensor<2x1x4x4xf32>
  return %0 : tensor<2x1x4x4xf32>
}
