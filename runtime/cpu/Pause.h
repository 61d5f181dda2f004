//===- Pause.h - what a thread does between two looks -*- C++ -*-----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_RUNTIME_CPU_PAUSE_H
#define INGOT_RUNTIME_CPU_PAUSE_H

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ingot::rt {

/// Tells the CPU that this thread spins.
inline void pauseCpu() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_PAUSE_H
