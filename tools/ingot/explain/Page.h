//===- Page.h - explain's page for browsers -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_EXPLAIN_PAGE_H
#define INGOT_TOOLS_INGOT_EXPLAIN_PAGE_H

#include "tools/ingot/explain/Report.h"

namespace ingot::cli {

/// The report as one HTML page that needs no other file.
std::string pageOf(const Report &report);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_EXPLAIN_PAGE_H
