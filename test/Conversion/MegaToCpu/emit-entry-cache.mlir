// RUN: ingot-opt %s -ingot-emit-entry | FileCheck %s

// A handle is the page table of the cache's group, the pages of a row, and the
// places of keys and values.
// CHECK-LABEL: func @ingot_entry(
// CHECK-SAME: %[[CTX:.*]]: !llvm.ptr
// CHECK: %[[KEYS:.*]] = arith.constant 512 : i64
// CHECK: %[[VALUES:.*]] = arith.constant 1024 : i64
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CTX]][64]
// CHECK: %[[TABLES:.*]] = llvm.load %[[AT]]
// CHECK: %[[ROW:.*]] = llvm.getelementptr %[[CTX]][72]
// CHECK: %[[LOADED:.*]] = llvm.load %[[ROW]] : !llvm.ptr -> i64
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[LOADED]] : i64 to index
// CHECK: %[[PAGES:.*]] = arith.index_cast %[[INDEX]] : index to i64
// CHECK: %[[GROUP:.*]] = llvm.getelementptr %[[TABLES]][8]
// CHECK: %[[TABLE:.*]] = llvm.load %[[GROUP]] : !llvm.ptr -> !llvm.ptr
// CHECK-DAG: %[[A:.*]] = llvm.insertvalue %[[TABLE]], %{{.*}}[0]
// CHECK-DAG: %[[B:.*]] = llvm.insertvalue %[[PAGES]], %[[A]][1]
// CHECK-DAG: %[[C:.*]] = llvm.insertvalue %[[KEYS]], %[[B]][2]
// CHECK-DAG: %[[D:.*]] = llvm.insertvalue %[[VALUES]], %[[C]][3]
// CHECK: %[[CACHE:.*]] = builtin.unrealized_conversion_cast %[[D]]
// CHECK: call @stage_0(%[[CACHE]])
mega.program @main(%cache: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>
                    {ingot.role = "cache", ingot.cache_group = 1 : i64, ingot.key_offset = 512 : i64, ingot.value_offset = 1024 : i64},
                %arena: memref<?xi8> {ingot.role = "arena"}, %worker: index {ingot.role = "worker"},
                %workers: index {ingot.role = "workers"}) -> index {
  %c0 = arith.constant 0 : index
  func.call @stage_0(%cache) : (!ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>) -> ()
  mega.return %c0 : index
}
func.func private @stage_0(%cache: !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>) {
  return
}
