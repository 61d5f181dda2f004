// RUN: ingot-opt %s -mega-add-sampler | FileCheck %s

// A program without state has nothing to choose.
// CHECK: mega.program @main
// CHECK-NOT: @sample
mega.program @main() {
  mega.return
}
