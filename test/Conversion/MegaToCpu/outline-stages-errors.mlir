// RUN: ingot-opt %s --ingot-outline-stages --split-input-file --verify-diagnostics

// expected-error @below {{has no worker arguments: plan memory first}}
func.func @main(%x: memref<3xf32>) {
  return
}
