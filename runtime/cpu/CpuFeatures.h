//===- CpuFeatures.h - what this machine's CPU can do -*- C++ -*- ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Asks the CPU itself (cpuid) and the operating system's enabled register
// state (xgetbv) for the features that an artifact names. On Arm artifacts need
// nothing beyond what every 64-bit CPU has.
#ifndef INGOT_RUNTIME_CPU_CPUFEATURES_H
#define INGOT_RUNTIME_CPU_CPUFEATURES_H

#include "runtime/core/Status.h"

#include <span>
#include <string>

namespace ingot::rt {

/// True if this machine has the feature, by LLVM's name ("avx2"). A name that
/// we do not know counts as missing.
bool cpuHas(std::string_view feature);

/// Refuses with the list of what this machine lacks of `features`.
Status checkCpuFeatures(std::span<const std::string> features);

/// Refuses triples for another architecture than this machine's.
Status checkTriple(std::string_view triple);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_CPUFEATURES_H
