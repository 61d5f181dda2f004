// RUN: ingot-opt %s --ingot-stage-leftovers --split-input-file --verify-diagnostics

func.func @call(%x: memref<3xf32>) -> index {
  // expected-error @below {{has results and memory effects outside of a stage}}
  %0 = call @other(%x) : (memref<3xf32>) -> index
  return %0 : index
}
func.func private @other(memref<3xf32>) -> index
