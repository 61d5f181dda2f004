// RUN: ingot-opt %s -mega-add-sampler -mega-add-token-loop | FileCheck %s
// RUN: ingot-opt %s -pass-pipeline='builtin.module(mega-add-sampler,mega.program(mega-plan-sync),mega-add-token-loop,mega.program(mega-plan-memory),cse,mega.program(mega-unroll-loops,mega-prove-order{remarks=true},mega-prove-writes{remarks=true},mega-prove-memory{remarks=true}),mega-prove-dealing{remarks=true})' -o /dev/null 2>&1 | FileCheck %s --check-prefix=PROVED

// A decoder gets a program of turns: a token is chosen by the logits that were
// left by the last one, worker 0 looks what to do with it, it is read. Between
// them all workers meet.
// CHECK: mega.program @generate(
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: memref<?x1xi32> {ingot.name = "ids", ingot.role = "shared"}
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: memref<?xi64>
// CHECK-SAME: %[[COUNT:[a-z0-9]+]]: memref<?xi64>
// CHECK-SAME: %[[LOGITS:[a-z0-9]+]]: memref<?x9xf32>
// CHECK-SAME: %[[HISTORY:[a-z0-9]+]]: memref<?xi64> {ingot.name = "ingot.history"
// CHECK-SAME: %[[REALS:[a-z0-9]+]]: memref<4xf64>
// CHECK-SAME: %[[NUMBERS:[a-z0-9]+]]: memref<4xi64>
// CHECK-SAME: %[[TOKEN:[a-z0-9]+]]: memref<2xi64>
// CHECK: mega.loop %{{.*}} = 0 to 9223372036854775807 {
// CHECK-NEXT: mega.call @sample(%[[LOGITS]], %[[HISTORY]], %[[REALS]], %[[NUMBERS]]) to(%[[TOKEN]])
// CHECK-NEXT: mega.barrier
// CHECK-NEXT: mega.single {
// CHECK: memref.store %{{.*}}, %[[IDS]]
// CHECK: memref.store %{{.*}}, %[[PAST]]
// CHECK: mega.tell
// CHECK: mega.barrier
// CHECK: mega.until
// CHECK-NEXT: mega.call @decode(%[[IDS]], %[[PAST]], %[[COUNT]]) to(%[[LOGITS]])
// CHECK-NEXT: mega.barrier
// CHECK-NEXT: }

// PROVED: program 'generate': no race and no deadlock
// PROVED: program 'generate': every element is written
// PROVED: program 'generate': no live buffers overlap
// PROVED: program 'generate': each tile is run by one worker

mega.program @main() attributes {ingot.state = {tokens = "ids", past = "past", logits = "out"}} {
  mega.return
}
mega.program @decode(%ids: memref<?x1xi32> {ingot.role = "input", ingot.name = "ids"},
                     %past: memref<?xi64> {ingot.role = "input", ingot.name = "past"},
                     %count: memref<?xi64> {ingot.role = "input", ingot.name = "count"},
                     %out: memref<?x9xf32> {ingot.role = "output", ingot.name = "out"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %out, %c0 : memref<?x9xf32>
  %zero = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      %to = mega.access write %out[%i, 0] [1, 9] [1, 1] : memref<?x9xf32> to memref<1x9xf32, strided<[9, 1], offset: ?>>
      linalg.fill ins(%zero : f32) outs(%to : memref<1x9xf32, strided<[9, 1], offset: ?>>)
    }
  }
  mega.return
}
