//===- Interrupt.h - Ctrl-C between two measurements ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_BENCH_INTERRUPT_H
#define INGOT_TOOLS_INGOT_BENCH_INTERRUPT_H

#include <csignal>

namespace ingot::cli {

/// Notes a first Ctrl-C for as long as it lives; a second one ends the process
/// as if there were nobody. One at a time.
class Interrupt {
public:
  /// Thrown where the program may be left.
  struct Caught {};

  Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;
  ~Interrupt();

  /// Throws Caught after a Ctrl-C.
  static void check();
  /// Ends the process as Ctrl-C does, once all has been put away.
  [[noreturn]] static void die();

private:
  struct sigaction previous = {};
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_BENCH_INTERRUPT_H
