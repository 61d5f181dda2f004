// RUN: ingot-opt %s -ingot-lower-checks -verify-diagnostics

func.func private @stage(%ok: i1) {
  // expected-error @below {{is in a function without an error argument}}
  ingot.check %ok, "index out of range"
  return
}
