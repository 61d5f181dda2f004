// RUN: ingot-opt %s -ingot-fuse-elementwise -ingot-form-stages -canonicalize | FileCheck %s

// A matrix product and what follows it elementwise are one stage.
// CHECK-LABEL: func @linear_gelu
// CHECK: scf.forall {{.*}} step (24, 64)
// CHECK: linalg.matmul
// CHECK: linalg.generic
// CHECK: math.tanh
// CHECK-NOT: scf.forall (
func.func @linear_gelu(%x: tensor<?x384xf32>, %w: tensor<384x1536xf32>, %b: tensor<1536xf32>) -> tensor<?x1536xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x384xf32>
  %e = tensor.empty(%m) : tensor<?x1536xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x1536xf32>) -> tensor<?x1536xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<?x384xf32>, tensor<384x1536xf32>) outs(%f : tensor<?x1536xf32>) -> tensor<?x1536xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%0, %b : tensor<?x1536xf32>, tensor<1536xf32>) outs(%e : tensor<?x1536xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<?x1536xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%1 : tensor<?x1536xf32>) outs(%e : tensor<?x1536xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.tanh %a : f32
    linalg.yield %s : f32
  } -> tensor<?x1536xf32>
  return %2 : tensor<?x1536xf32>
}

// A reduction absorbs the elementwise op that feeds it.
// CHECK-LABEL: func @row_sum
// CHECK: scf.forall
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK-NOT: scf.forall (
func.func @row_sum(%x: tensor<?x384xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x384xf32>
  %e = tensor.empty(%m) : tensor<?x384xf32>
  %r = tensor.empty(%m) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%r : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<?x384xf32>) outs(%e : tensor<?x384xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<?x384xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%0 : tensor<?x384xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

!cache = !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>

// All heads that read one key head, and 48 rows of queries and heads.
// CHECK-LABEL: func @paged_attention
// CHECK: scf.forall {{.*}} step (1, 16, 3)
// CHECK: ingot.cache_part
// CHECK: ingot.paged_attention {{.*}} first(
func.func @paged_attention(%q: tensor<?x?x9x64xf32>, %rows: tensor<?xi64>, %cache: !cache, %o: tensor<?x?x9x64xf32>) -> tensor<?x?x9x64xf32> {
  %0 = ingot.paged_attention ins(%q : tensor<?x?x9x64xf32>) past(%rows : tensor<?xi64>) count(%rows : tensor<?xi64>)
      cache(%cache : !cache) outs(%o : tensor<?x?x9x64xf32>) {scale = 0.125 : f64} -> tensor<?x?x9x64xf32>
  return %0 : tensor<?x?x9x64xf32>
}

// A sum of nothing is what it starts with.
// CHECK-LABEL: func @nothing
// CHECK-NOT: linalg.generic
// CHECK: linalg.fill
// CHECK: return
func.func @nothing(%x: tensor<?x0xf32>, %o: tensor<?xf32>) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%o : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<?x0xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// What is done to the heads of a product joins its tile, which is cut at heads:
// a rotation, and the store to a cache behind it. Tables are used by all heads
// and made before.
// CHECK-LABEL: func @heads
// CHECK: linalg.generic
// CHECK: scf.forall (%{{.*}}, %[[H:.*]]) = (0, 0) to (%{{.*}}, 3) step (64, 1)
// CHECK:   %[[L:.*]] = ingot.linear {{.*}} tensor<4x96x16xf32>) outs(%{{.*}} : tensor<?x64xf32>)
// CHECK:   %[[X:.*]] = tensor.expand_shape %[[L]] {{.*}} into tensor<?x1x64xf32>
// CHECK:   %[[R:.*]] = ingot.rotate ins(%[[X]],
// CHECK:   ingot.cache_store <keys> ins(%[[R]] : tensor<?x1x64xf32>) rows(%{{.*}} of %{{.*}})
// CHECK-NOT: scf.forall (
func.func @heads(%x: tensor<?x96xf32>, %w: tensor<12x96x16xf32>, %t: tensor<?x1x32xf32>,
                 %rows: tensor<?xi64>, %tokens: index, %cache: !cache) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x96xf32>
  %te = tensor.empty(%n) : tensor<?x1x32xf32>
  %cos = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<?x1x32xf32>) outs(%te : tensor<?x1x32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.cos %a : f32
    linalg.yield %s : f32
  } -> tensor<?x1x32xf32>
  %e = tensor.empty(%n) : tensor<?x192xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x96xf32>, tensor<12x96x16xf32>) outs(%e : tensor<?x192xf32>) -> tensor<?x192xf32>
  %1 = tensor.expand_shape %0 [[0], [1, 2]] output_shape [%n, 3, 64] : tensor<?x192xf32> into tensor<?x3x64xf32>
  %re = tensor.empty(%n) : tensor<?x3x64xf32>
  %2 = ingot.rotate ins(%1, %cos, %t : tensor<?x3x64xf32>, tensor<?x1x32xf32>, tensor<?x1x32xf32>) outs(%re : tensor<?x3x64xf32>) -> tensor<?x3x64xf32>
  ingot.cache_store <keys> ins(%2 : tensor<?x3x64xf32>) rows(%c0 of %tokens) past(%rows : tensor<?xi64>) count(%rows : tensor<?xi64>) into(%cache : !cache)
  return
}

// What is done to elements of a product stays with it, not with an op over rows
// that the product cannot join.
// CHECK-LABEL: func @rows_of_product
// CHECK: scf.forall {{.*}} step (64, 32)
// CHECK: ingot.linear
// CHECK: math.exp
// CHECK: scf.forall
// CHECK: ingot.rms_norm
func.func @rows_of_product(%x: tensor<?x96xf32>, %w: tensor<12x96x16xf32>, %g: tensor<192xf32>) -> tensor<?x192xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x96xf32>
  %e = tensor.empty(%n) : tensor<?x192xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x96xf32>, tensor<12x96x16xf32>) outs(%e : tensor<?x192xf32>) -> tensor<?x192xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%0 : tensor<?x192xf32>) outs(%e : tensor<?x192xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<?x192xf32>
  %2 = ingot.rms_norm ins(%1, %g : tensor<?x192xf32>, tensor<192xf32>) outs(%e : tensor<?x192xf32>) {epsilon = 1.0e-5 : f64} -> tensor<?x192xf32>
  return %2 : tensor<?x192xf32>
}

// What checks its values is made once: in the loop.
// CHECK-LABEL: func @checked(
// CHECK-NOT: ingot.check
// CHECK: scf.forall
// CHECK: ingot.check
// CHECK-NOT: ingot.check
// CHECK: return
func.func @checked(%ids: tensor<?xi64>, %table: tensor<40x64xf32>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %c40 = arith.constant 40 : index
  %n = tensor.dim %ids, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%ids : tensor<?xi64>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%id: i64, %o: f32):
    %j = linalg.index 1 : index
    %at = arith.index_cast %id : i64 to index
    %inside = arith.cmpi ult, %at, %c40 : index
    ingot.check %inside, "out of range"
    %safe = arith.select %inside, %at, %c0 : index
    %x = tensor.extract %table[%safe, %j] : tensor<40x64xf32>
    linalg.yield %x : f32
  } -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// Or in what it is fused into.
// CHECK-LABEL: func @checked_and_fused(
// CHECK-NOT: ingot.check
// CHECK: scf.forall
// CHECK: ingot.check
// CHECK: math.exp
// CHECK-NOT: ingot.check
// CHECK: return
func.func @checked_and_fused(%ids: tensor<?xi64>, %table: tensor<40x64xf32>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %c40 = arith.constant 40 : index
  %n = tensor.dim %ids, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%ids : tensor<?xi64>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%id: i64, %o: f32):
    %j = linalg.index 1 : index
    %at = arith.index_cast %id : i64 to index
    %inside = arith.cmpi ult, %at, %c40 : index
    ingot.check %inside, "out of range"
    %safe = arith.select %inside, %at, %c0 : index
    %x = tensor.extract %table[%safe, %j] : tensor<40x64xf32>
    linalg.yield %x : f32
  } -> tensor<?x64xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%0 : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// What is there for its check alone stays.
// CHECK-LABEL: func @check_alone(
// CHECK: ingot.check
// CHECK: return
func.func @check_alone(%ids: tensor<?xi64>, %table: tensor<40x64xf32>) {
  %c0 = arith.constant 0 : index
  %c40 = arith.constant 40 : index
  %n = tensor.dim %ids, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%ids : tensor<?xi64>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%id: i64, %o: f32):
    %j = linalg.index 1 : index
    %at = arith.index_cast %id : i64 to index
    %inside = arith.cmpi ult, %at, %c40 : index
    ingot.check %inside, "out of range"
    %safe = arith.select %inside, %at, %c0 : index
    %x = tensor.extract %table[%safe, %j] : tensor<40x64xf32>
    linalg.yield %x : f32
  } -> tensor<?x64xf32>
  return
}
