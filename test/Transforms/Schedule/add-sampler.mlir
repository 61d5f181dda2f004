// RUN: ingot-opt %s -mega-add-sampler | FileCheck %s
// RUN: ingot-opt %s -pass-pipeline='builtin.module(mega-add-sampler,mega.program(mega-plan-sync,mega-plan-memory,cse,mega-prove-order{remarks=true},mega-prove-writes{remarks=true},mega-prove-memory{remarks=true}),mega-prove-dealing{remarks=true})' -o /dev/null 2>&1 | FileCheck %s --check-prefix=PROVED

// A program with state gets one that chooses tokens, with nothing left to call:
// parts of the vocabulary, their shares of the top k, and one tile for the rest.
// CHECK: mega.program @main
// CHECK: mega.program @sample(%{{.*}}: memref<?xf32>
// CHECK-NOT: func.call
// CHECK: mega.stage
// CHECK-NEXT: mega.tiles (%{{.*}}) in (%[[PARTS:.*]]) step (1)
// CHECK: mega.stage
// CHECK-NEXT: mega.tiles (%{{.*}}) in (%[[PARTS]]) step (1)
// CHECK: mega.stage
// CHECK-NEXT: mega.tiles (%{{.*}}) in (1) step (1)
// CHECK-NOT: func.call

// PROVED: program 'sample': no race and no deadlock
// PROVED: program 'sample': every element is written
// PROVED: program 'sample': no live buffers overlap
// PROVED: program 'sample': each tile is run by one worker

mega.program @main() attributes {ingot.state = {}} {
  mega.return
}
