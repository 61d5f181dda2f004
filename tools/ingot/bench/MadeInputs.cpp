//===- MadeInputs.cpp - inputs that nobody has to give --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/bench/MadeInputs.h"

#include "tools/ingot/Runtime.h"

#include "lib/Machine/MadeInputs.h"

#include <algorithm>

using namespace ingot::cli;
namespace machine = ingot::machine;
namespace rt = ingot::rt;

std::vector<std::string>
ingot::cli::addDefaultSizes(const std::vector<rt::Symbol> &symbols,
                            Symbols &values) {
  std::vector<std::string> added;
  for (const rt::Symbol &symbol : symbols) {
    int64_t size = machine::namesBatch(symbol.name) ? 1 : 128;
    size = std::clamp(size, symbol.min, symbol.max);
    if (values.emplace(symbol.name, size).second)
      added.push_back(symbol.name);
  }
  return added;
}

void ingot::cli::fill(Tensor &tensor, int64_t integer) {
  int64_t count = checkedSize(tensor.dims, tensor.dtype,
                              "made-up input '" + tensor.name + "'");
  tensor.bytes.resize(size_t(count) * byteSize(tensor.dtype));
  machine::fill(tensor.bytes, rt::DType(toRuntime(tensor.dtype)), tensor.name,
                integer);
}

std::vector<int64_t> ingot::cli::madePrompt(size_t length,
                                            uint64_t vocabulary) {
  std::vector<int64_t> ids(length);
  uint64_t few = std::clamp<uint64_t>(vocabulary, 1, 1000);
  for (size_t i = 0; i < length; ++i)
    ids[i] = int64_t((i * 37 + 1) % few);
  return ids;
}
