//===- Errors.cpp - the reasons against a model -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Errors.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace ingot {

/// More names than this do not help a reader.
static constexpr size_t kNamedNodes = 4;

std::string ImportError::str() const {
  std::string text = tag.empty() ? message : tag + " " + message;
  if (nodes.empty())
    return text;
  raw_string_ostream os(text);
  os << " (" << count << (count == 1 ? " node: " : " nodes: ")
     << llvm::join(nodes, ", ");
  if (count > nodes.size())
    os << ", ...";
  os << ")";
  return text;
}

void onnxin::Errors::add(StringRef tag, const Twine &message, StringRef node) {
  ++added;
  std::string text = message.str();
  auto [place, isNew] =
      places.try_emplace((tag + "\n" + text).str(), list.size());
  if (isNew)
    list.push_back({tag.str(), std::move(text), {}, 0});
  ImportError &error = list[place->second];
  ++error.count;
  if (!node.empty() && error.nodes.size() < kNamedNodes)
    error.nodes.push_back(node.str());
}

} // namespace ingot
