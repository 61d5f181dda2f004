//===- FloatEnvironment.h - the rounding that programs are compiled for -*- C++
//-*- ===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Results must depend on the artifact and the input alone. A host that flushes
// denormals or rounds upwards must not change them, and its threads get their
// own mode back.
#ifndef INGOT_RUNTIME_CPU_FLOATENVIRONMENT_H
#define INGOT_RUNTIME_CPU_FLOATENVIRONMENT_H

#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ingot::rt {

/// Round to nearest, denormals kept, exceptions masked: for this scope.
class FloatEnvironment {
public:
  FloatEnvironment() : saved(read()) { write(standard); }
  FloatEnvironment(const FloatEnvironment &) = delete;
  FloatEnvironment &operator=(const FloatEnvironment &) = delete;
  ~FloatEnvironment() { write(saved); }

  /// The mode that was before, for a scope inside of the environment's: while
  /// the host's own code is called.
  class Outside {
  public:
    explicit Outside(const FloatEnvironment &inside) { write(inside.saved); }
    Outside(const Outside &) = delete;
    Outside &operator=(const Outside &) = delete;
    ~Outside() { write(standard); }
  };

private:
#if defined(__x86_64__)
  /// MXCSR: all exceptions masked.
  static constexpr uint64_t standard = 0x1F80;
  static uint64_t read() { return _mm_getcsr(); }
  static void write(uint64_t mode) { _mm_setcsr(unsigned(mode)); }
#elif defined(__aarch64__)
  /// FPCR: no trap enabled.
  static constexpr uint64_t standard = 0;
  static uint64_t read() {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void write(uint64_t mode) {
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
  }
#else
#error "the rounding mode of this CPU is not known"
#endif

  uint64_t saved;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_FLOATENVIRONMENT_H
