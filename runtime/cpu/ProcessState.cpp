//===- ProcessState.cpp - the process-wide lock, and forks ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/cpu/ProcessState.h"

#include <atomic>
#include <pthread.h>

using namespace ingot::rt;

namespace {
/// Never destroyed: threads of ours may outlive static destruction.
struct ProcessState {
  std::mutex mutex;
  std::atomic<uint64_t> generation{0};
};
} // namespace

static ProcessState &state() {
  static ProcessState *instance = [] {
    pthread_atfork([] { processMutex().lock(); },
                   [] { processMutex().unlock(); },
                   [] {
                     state().generation.fetch_add(1);
                     processMutex().unlock();
                   });
    return new ProcessState;
  }();
  return *instance;
}

std::mutex &ingot::rt::processMutex() { return state().mutex; }

uint64_t ingot::rt::forkGeneration() { return state().generation.load(); }
