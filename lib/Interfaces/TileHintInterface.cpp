//===- TileHintInterface.cpp - how a target likes ops cut -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Interfaces/TileHintInterface.h"

#include "lib/Interfaces/TileHintInterface.cpp.inc"
