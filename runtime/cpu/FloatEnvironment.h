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

#include <immintrin.h>

namespace ingot::rt {

/// Round to nearest, denormals kept, exceptions masked: for this scope.
class FloatEnvironment {
public:
  FloatEnvironment() : saved(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  FloatEnvironment(const FloatEnvironment &) = delete;
  FloatEnvironment &operator=(const FloatEnvironment &) = delete;
  ~FloatEnvironment() { _mm_setcsr(saved); }

private:
  unsigned saved;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_FLOATENVIRONMENT_H
