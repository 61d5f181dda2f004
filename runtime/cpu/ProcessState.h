//===- ProcessState.h - the process-wide lock, and forks -*- C++ -*- ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// State that belongs to the process. One mutex guards every short critical
// section of the runtime (pools, registries, cancel lists), because it is the
// one that is held across a fork: a child never finds it locked by a thread
// that does not exist there. Whatever owns threads remembers the generation in
// which it started them and is replaced when that has passed.
#ifndef INGOT_RUNTIME_CPU_PROCESSSTATE_H
#define INGOT_RUNTIME_CPU_PROCESSSTATE_H

#include <cstdint>
#include <mutex>

namespace ingot::rt {

/// The runtime's mutex. Hold it for moments, never while running a model or
/// waiting for a thread.
std::mutex &processMutex();

/// How many forks lie between this process and the one that loaded the
/// library.
uint64_t forkGeneration();

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_PROCESSSTATE_H
