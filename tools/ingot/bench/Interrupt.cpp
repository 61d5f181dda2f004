//===- Interrupt.cpp - Ctrl-C between two measurements --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/bench/Interrupt.h"

#include <cstdlib>

using namespace ingot::cli;

static volatile sig_atomic_t wasInterrupted = 0;

Interrupt::Interrupt() {
  struct sigaction action{};
  action.sa_handler = [](int) { wasInterrupted = 1; };
  action.sa_flags = SA_RESETHAND;
  wasInterrupted = 0;
  sigaction(SIGINT, nullptr, &previous);
  // A shell lets what it runs in the background ignore Ctrl-C.
  if (previous.sa_handler != SIG_IGN)
    sigaction(SIGINT, &action, nullptr);
}

Interrupt::~Interrupt() { sigaction(SIGINT, &previous, nullptr); }

void Interrupt::check() {
  if (wasInterrupted)
    throw Caught();
}

void Interrupt::die() {
  std::signal(SIGINT, SIG_DFL);
  (void)std::raise(SIGINT);
  std::_Exit(1);
}
