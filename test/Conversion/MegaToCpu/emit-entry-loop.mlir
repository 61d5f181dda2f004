// RUN: ingot-opt %s -ingot-emit-entry | FileCheck %s

// A loop of the program is a loop of the entry, which counts the arrivals at
// its barriers; its number picks a cache by where that lies.
// CHECK-LABEL: func @ingot_entry(
// CHECK: %[[NONE:.*]] = arith.constant 0 : i64
// CHECK: cf.br ^[[HEAD:.*]](%{{.*}}, %[[NONE]] : index, i64)
// CHECK: ^[[HEAD]](%[[I:.*]]: index, %[[ARRIVED:.*]]: i64):
// CHECK: %[[N:.*]] = arith.index_cast %[[I]] : index to i64
// CHECK: %[[STEP:.*]] = arith.constant 256 : i64
// CHECK: %[[MOVED:.*]] = arith.muli %[[N]], %[[STEP]]
// CHECK: %[[FIRST:.*]] = arith.constant 512 : i64
// CHECK: %[[KEYS:.*]] = arith.addi %[[FIRST]], %[[MOVED]]
// CHECK: llvm.insertvalue %[[KEYS]], %{{.*}}[2]
// CHECK: call @stage_0(
// CHECK: %[[NOW:.*]] = arith.addi %[[ARRIVED]]
// CHECK: call @ingot_barrier(%{{.*}}, %[[NOW]], %{{.*}})
// CHECK: %[[NEXT:.*]] = arith.addi %[[I]]
// CHECK: %[[MORE:.*]] = arith.cmpi ult, %[[NEXT]]
// CHECK: cf.cond_br %[[MORE]], ^[[HEAD]](%[[NEXT]], %[[NOW]] : index, i64), ^[[END:.*]]
// CHECK: ^[[END]]:
// CHECK-NEXT: return
!cache = !ingot.cache<heads = 1, key_depth = 1, value_depth = 1, type = f32, window = 0>
mega.program @main(%a: !cache {ingot.role = "cache", ingot.cache_group = 0 : i64, ingot.key_offset = 512 : i64, ingot.value_offset = 1024 : i64},
                %b: !cache {ingot.role = "cache", ingot.cache_group = 0 : i64, ingot.key_offset = 768 : i64, ingot.value_offset = 1280 : i64},
                %arena: memref<?xi8> {ingot.role = "arena"}, %worker: index {ingot.role = "worker"},
                %workers: index {ingot.role = "workers"}) -> index {
  %c0 = arith.constant 0 : index
  mega.loop %i = 0 to 2 {
    %cache = ingot.cache_member [%i] of %a, %b : !cache
    func.call @stage_0(%cache) : (!cache) -> ()
    mega.barrier
  }
  mega.return %c0 : index
}
func.func private @stage_0(%cache: !cache) {
  return
}
