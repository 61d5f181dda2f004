//===- TileToVector.h - kernel passes ---------------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Passes that turn the structured ops in the body of a tile, on memrefs, into
// loops over vectors.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Pass/Pass.h"

namespace ingot {

#define GEN_PASS_DECL
#include "lib/Conversion/TileToVector/TileToVector.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Conversion/TileToVector/TileToVector.h.inc"

} // namespace ingot
