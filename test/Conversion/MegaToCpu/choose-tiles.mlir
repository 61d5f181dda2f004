// RUN: ingot-opt %s -ingot-choose-tiles | FileCheck %s
// RUN: ingot-opt %s -ingot-choose-tiles="workers=2" | FileCheck %s --check-prefix=FEW
// RUN: ingot-opt %s -ingot-choose-tiles="own-cache=65536" | FileCheck %s --check-prefix=SMALL
// RUN: ingot-opt %s '-ingot-choose-tiles=choices="product 768x768 of 32 bits=96x48x256"' | FileCheck %s --check-prefix=GIVEN

// A large team wants many tiles, a small one reads weights seldom; where the
// cache is small, K is cut.
// CHECK-LABEL: func @linear
// CHECK: ingot.linear {{.*}} {ingot.tile = {of = "product 768x768 of 32 bits", sizes = array<i64: 64, 32, 1024>}}
// FEW: ingot.tile = {of = "product 768x768 of 32 bits", sizes = array<i64: 128, 128, 1024>}
// SMALL: ingot.tile = {of = "product 768x768 of 32 bits", sizes = array<i64: {{24|48|64}}, 32, 512>}
// GIVEN: ingot.tile = {of = "product 768x768 of 32 bits", sizes = array<i64: 96, 48, 256>}
func.func @linear(%x: tensor<?x768xf32>, %w: tensor<48x768x16xf32>, %y: tensor<?x768xf32>) -> tensor<?x768xf32> {
  %0 = ingot.linear ins(%x, %w : tensor<?x768xf32>, tensor<48x768x16xf32>) outs(%y : tensor<?x768xf32>) -> tensor<?x768xf32>
  return %0 : tensor<?x768xf32>
}

// CHECK-LABEL: func @unknown
// CHECK: ingot.matmul {{.*}} {ingot.tile = {of = "product ?x? of 32 bits", sizes = array<i64: 24, 32, 1024>}}
func.func @unknown(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = ingot.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%y : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func @attention
// CHECK: ingot.attention {{.*}}ingot.tile = {of = "attention of 32", sizes = array<i64: 48, 0, 0>}
func.func @attention(%q: tensor<?x?x12x32xf32>, %y: tensor<?x?x12x32xf32>) -> tensor<?x?x12x32xf32> {
  %0 = ingot.attention ins(%q, %q, %q : tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>)
      outs(%y : tensor<?x?x12x32xf32>) {scale = 0.17 : f64} -> tensor<?x?x12x32xf32>
  return %0 : tensor<?x?x12x32xf32>
}
