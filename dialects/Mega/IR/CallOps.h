//===- CallOps.h - programs that run other programs -------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"

#define GET_OP_CLASSES
#include "dialects/Mega/IR/CallOps.h.inc"
