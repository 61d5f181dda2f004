//===- MachineTiles.h - the machine that tiles are chosen for ---*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Conversion/MegaToCpu/TileCosts.h"
#include "lib/Machine/Machine.h"

namespace ingot {

/// What the cost model knows of a machine that was measured.
TileMachine tileMachineOf(const machine::Machine &machine);

/// The machine that is compiled for. A named target is the same everywhere:
/// the defaults. "native" is this machine as it was measured and kept (which
/// `wasMeasured` tells); if it never was, the defaults with the sizes of its
/// caches and the CPUs that the process may use. Nothing is measured here, so
/// that compiling twice gives the same bytes.
TileMachine tileMachineFor(bool isNative, bool &wasMeasured);

} // namespace ingot
