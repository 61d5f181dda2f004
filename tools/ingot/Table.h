//===- Table.h - aligned columns for people -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_TABLE_H
#define INGOT_TOOLS_INGOT_TABLE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::cli {

/// Rows of text in aligned columns.
class Table {
public:
  /// Column titles; one that starts with '>' is aligned to the right.
  explicit Table(std::vector<std::string> titles);

  void add(std::vector<std::string> row) { rows.push_back(std::move(row)); }
  bool empty() const { return rows.empty(); }

  /// The table, each line indented by two. The last column is cut where a
  /// line would be longer than `width`; 0 for no limit.
  std::string str(size_t width = 0) const;

private:
  std::vector<std::string> titles;
  std::vector<bool> right;
  std::vector<std::vector<std::string>> rows;
};

/// "1.23 M" of a unit such as "B" or "FLOP", with decimal prefixes.
std::string quantity(double value, std::string_view unit);

/// "1.23 ms".
std::string seconds(double value);

/// "12.3 %" of a whole; empty when the whole is zero.
std::string share(double part, double whole);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_TABLE_H
