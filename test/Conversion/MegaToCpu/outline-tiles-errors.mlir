// RUN: ingot-opt %s --mega-outline-tiles --split-input-file --verify-diagnostics

// expected-error @below {{has no worker arguments: plan memory first}}
mega.program @main(%x: memref<3xf32>) {
  mega.return
}
