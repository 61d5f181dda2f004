// RUN: ingot-opt %s -split-input-file -verify-diagnostics -convert-ingot-to-mega

// What it branches on is not known.
// expected-error @+1 {{expected one block}}
func.func @blocks(%c: i1) {
  cf.cond_br %c, ^bb1, ^bb1
^bb1:
  return
}

// -----

// As many layers as an argument says.
func.func @any_number(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{a loop over layers has a number of them that is known, and counts them from 0}}
  scf.for %i = %c0 to %n step %c1 {
  }
  return
}

// -----

func.func @no_layer() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{a loop over layers has a number of them that is known, and counts them from 0}}
  scf.for %i = %c0 to %c0 step %c1 {
  }
  return
}

// -----

func.func @from_one() {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{a loop over layers has a number of them that is known, and counts them from 0}}
  scf.for %i = %c1 to %c4 step %c1 {
  }
  return
}

// -----

func.func @every_second() {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{a loop over layers has a number of them that is known, and counts them from 0}}
  scf.for %i = %c0 to %c4 step %c2 {
  }
  return
}

// -----

// A number goes from layer to layer.
func.func @carried() -> index {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{a loop over layers carries values in buffers alone}}
  %sum = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %c0) -> index {
    %y = arith.addi %x, %i : index
    scf.yield %y : index
  }
  return %sum : index
}
