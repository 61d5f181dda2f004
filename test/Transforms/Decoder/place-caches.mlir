// RUN: ingot-opt %s -ingot-place-caches | FileCheck %s

// One group for each window, in the order of first use; places are multiples
// of 64 bytes.
// CHECK: module attributes {ingot.cache_groups = [{page_bytes = 4096 : i64, window = 0 : i64}, {page_bytes = 8192 : i64, window = 6 : i64}]}
// CHECK: %arg0: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0> {ingot.cache_group = 0 : i64, ingot.key_offset = 0 : i64, ingot.role = "cache", ingot.value_offset = 512 : i64}
// CHECK-SAME: %arg1: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 6> {ingot.cache_group = 1 : i64, ingot.key_offset = 0 : i64, ingot.role = "cache", ingot.value_offset = 4096 : i64}
// CHECK-SAME: %arg2: !ingot.cache<heads = 3, key_depth = 2, value_depth = 1, type = f16, window = 0> {ingot.cache_group = 0 : i64, ingot.key_offset = 1024 : i64, ingot.role = "cache", ingot.value_offset = 2560 : i64}
// CHECK-SAME: %arg3: !ingot.cache<heads = 1, key_depth = 1, value_depth = 2, type = f16, window = 0> {ingot.cache_group = 0 : i64, ingot.key_offset = 3328 : i64, ingot.role = "cache", ingot.value_offset = 3584 : i64}
func.func @main(%a: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>,
                %b: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 6>,
                %c: !ingot.cache<heads = 3, key_depth = 2, value_depth = 1, type = f16, window = 0>,
                %d: !ingot.cache<heads = 1, key_depth = 1, value_depth = 2, type = f16, window = 0>) {
  return
}

// Further programs have the same caches in the same places.
// CHECK-LABEL: func.func @all(
// CHECK-SAME: ingot.key_offset = 0 : i64, ingot.role = "cache", ingot.value_offset = 512 : i64
// CHECK-SAME: ingot.key_offset = 0 : i64, ingot.role = "cache", ingot.value_offset = 4096 : i64
// CHECK-SAME: ingot.key_offset = 1024 : i64, ingot.role = "cache", ingot.value_offset = 2560 : i64
// CHECK-SAME: ingot.key_offset = 3328 : i64, ingot.role = "cache", ingot.value_offset = 3584 : i64
func.func @all(%a: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>,
               %b: !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 6>,
               %c: !ingot.cache<heads = 3, key_depth = 2, value_depth = 1, type = f16, window = 0>,
               %d: !ingot.cache<heads = 1, key_depth = 1, value_depth = 2, type = f16, window = 0>) {
  return
}
