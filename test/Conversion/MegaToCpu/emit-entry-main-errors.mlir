// RUN: ingot-opt %s -split-input-file -ingot-emit-entry -verify-diagnostics

// expected-error @below {{expected a public function, found none}}
module {
  func.func private @stage_0() {
    return
  }
}

// -----

// expected-error @below {{expected a function 'main' among 2 public ones}}
module {
  func.func @all() {
    return
  }
  func.func @decode() {
    return
  }
}
