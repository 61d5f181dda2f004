//===- NameList.h - many names in few words ---------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_NAMELIST_H
#define INGOT_TOOLS_INGOT_NAMELIST_H

#include <string>
#include <vector>

namespace ingot::cli {

/// The names, those that differ in one number alone as one: "past.0.key",
/// "past.1.key", "past.2.key" is "past.{0..2}.key", and a step of two
/// "past.{0,2..6}.key". Others are the first and the last of them.
std::string nameList(const std::vector<std::string> &names);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_NAMELIST_H
