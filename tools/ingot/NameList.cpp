//===- NameList.cpp - many names in few words -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/NameList.h"

#include <algorithm>
#include <optional>

static bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// The number at [begin, end) of a name; none if it is no plain number.
static std::optional<long> numberAt(const std::string &name, size_t begin,
                                    size_t end) {
  constexpr size_t mostDigits = 9;
  if (begin >= end || end - begin > mostDigits ||
      (name[begin] == '0' && end - begin > 1))
    return std::nullopt;
  long number = 0;
  for (size_t i = begin; i < end; ++i) {
    if (!isDigit(name[i]))
      return std::nullopt;
    number = 10 * number + (name[i] - '0');
  }
  return number;
}

/// "0..29", "0,2..28"; none for numbers without a step.
static std::optional<std::string>
progression(const std::vector<long> &numbers) {
  std::string text = std::to_string(numbers[0]);
  long step = numbers[1] - numbers[0];
  for (size_t i = 1; i < numbers.size(); ++i)
    if (numbers[i] - numbers[i - 1] != step || step <= 0)
      return std::nullopt;
  if (step != 1 && numbers.size() > 2)
    text += "," + std::to_string(numbers[1]);
  return text + (numbers.size() == 2 ? "," : "..") +
         std::to_string(numbers.back());
}

std::string ingot::cli::nameList(const std::vector<std::string> &names) {
  if (names.empty())
    return "";
  const std::string &first = names.front();
  if (std::ranges::count(names, first) == std::ptrdiff_t(names.size()))
    return first;
  // What all begin and end with, up to whole numbers.
  size_t begin = first.size(), end = first.size();
  for (const std::string &name : names) {
    auto [a, b] = std::ranges::mismatch(first, name);
    begin = std::min<size_t>(begin, a - first.begin());
    size_t common = 0;
    while (common < std::min(first.size(), name.size()) &&
           first[first.size() - 1 - common] == name[name.size() - 1 - common])
      ++common;
    end = std::min(end, common);
  }
  while (begin > 0 && isDigit(first[begin - 1]))
    --begin;
  while (end > 0 && isDigit(first[first.size() - end]))
    --end;
  std::vector<long> numbers;
  for (const std::string &name : names)
    if (auto number = numberAt(name, begin, name.size() - end))
      numbers.push_back(*number);
  if (numbers.size() == names.size())
    if (auto inner = progression(numbers))
      return first.substr(0, begin) + "{" + *inner + "}" +
             first.substr(first.size() - end);
  return first + " ... " + names.back();
}
