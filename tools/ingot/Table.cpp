//===- Table.cpp - aligned columns for people -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Table.h"

#include <algorithm>
#include <cstdio>

using namespace ingot::cli;

Table::Table(std::vector<std::string> given) : titles(std::move(given)) {
  for (std::string &title : titles) {
    right.push_back(title.starts_with('>'));
    if (right.back())
      title.erase(0, 1);
  }
}

/// Characters on the screen: bytes that do not continue a UTF-8 sequence.
static size_t columns(std::string_view text) {
  return size_t(std::count_if(text.begin(), text.end(),
                              [](char c) { return (c & 0xc0) != 0x80; }));
}

/// At most `limit` characters, the last an ellipsis if some were cut.
static std::string cut(const std::string &text, size_t limit) {
  if (columns(text) <= limit || limit == 0)
    return text;
  size_t end = 0, count = 0;
  for (; end < text.size(); ++end)
    if ((text[end] & 0xc0) != 0x80 && ++count == limit)
      break;
  return text.substr(0, end) + "…";
}

std::string Table::str(size_t width) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < titles.size(); ++i) {
    size_t most = columns(titles[i]);
    for (const auto &row : rows)
      if (i < row.size())
        most = std::max(most, columns(row[i]));
    widths.push_back(most);
  }
  std::string out;
  auto line = [&](const std::vector<std::string> &row) {
    std::string text;
    size_t used = 0;
    for (size_t i = 0; i < row.size() && i < titles.size(); ++i) {
      text += "  ";
      used += 2;
      bool last = i + 1 == titles.size();
      std::string cell = row[i];
      if (last && width)
        cell = cut(cell, width > used + 10 ? width - used : 10);
      size_t pad = widths[i] - std::min(widths[i], columns(cell));
      text += right[i] ? std::string(pad, ' ') + cell
                       : cell + std::string(last ? 0 : pad, ' ');
      used += widths[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line(titles);
  for (const auto &row : rows)
    line(row);
  return out;
}

std::string ingot::cli::quantity(double value, std::string_view unit) {
  const char *prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t step = 0;
  while (value >= 999.5 && step + 1 < std::size(prefixes)) {
    value /= 1000;
    ++step;
  }
  char text[32];
  int digits = step == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::snprintf(text, sizeof text, "%.*f ", digits, value);
  return text + std::string(prefixes[step]) + std::string(unit);
}

std::string ingot::cli::seconds(double value) {
  const char *unit = value < 1e-3 ? "us" : value < 1 ? "ms" : "s";
  double scaled = value < 1e-3 ? value * 1e6 : value < 1 ? value * 1e3 : value;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %s",
                scaled < 10    ? 2
                : scaled < 100 ? 1
                               : 0,
                scaled, unit);
  return text;
}

std::string ingot::cli::share(double part, double whole) {
  if (!(whole > 0))
    return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * part / whole);
  return text;
}
