//===- Sizes.cpp - the sizes that a user gives to symbolic dims -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Sizes.h"

#include "tools/ingot/Runtime.h"

#include <algorithm>

using namespace ingot::cli;
namespace rt = ingot::rt;

void ingot::cli::addDimOption(CLI::App &command, std::vector<std::string> &dims,
                              const std::string &description) {
  command.add_option("--dim", dims, description)
      ->type_name("NAME=N")
      ->allow_extra_args(false)
      ->check([](const std::string &text) -> std::string {
        size_t equals = text.rfind('=');
        bool good = equals != std::string::npos && equals > 0 &&
                    text.size() - equals - 1 <= 18 &&
                    equals + 1 < text.size() &&
                    text.find_first_not_of("0123456789", equals + 1) ==
                        std::string::npos;
        return good ? "" : "'" + text + "' is not of the form NAME=N";
      });
}

Symbols ingot::cli::readDims(const std::vector<std::string> &given,
                             const std::vector<rt::Symbol> &symbols) {
  Symbols values;
  for (const std::string &pair : given) {
    size_t equals = pair.rfind('=');
    std::string name = pair.substr(0, equals);
    int64_t value = std::stoll(pair.substr(equals + 1));
    auto it = std::find_if(
        symbols.begin(), symbols.end(),
        [&](const rt::Symbol &symbol) { return symbol.name == name; });
    if (it == symbols.end()) {
      std::string known;
      for (const rt::Symbol &symbol : symbols)
        known += (known.empty() ? "" : ", ") + symbol.name;
      throw Error("the model has no symbolic dim '" + name + "'; it has " +
                  (known.empty() ? "none" : known));
    }
    if (value < it->min || value > it->max)
      throw Error("dim '" + name + "' cannot be " + std::to_string(value) +
                  ": the model allows " + std::to_string(it->min) + " to " +
                  std::to_string(it->max));
    values[name] = value;
  }
  return values;
}

Tensor ingot::cli::tensorAt(const rt::TensorInfo &info, const Symbols &values) {
  Tensor tensor;
  tensor.name = info.name;
  tensor.dtype = fromRuntime(ingot_dtype(info.dtype));
  for (const rt::Dim &dim : info.dims)
    tensor.dims.push_back(dim.isStatic() ? dim.value
                                         : evaluate(dim.text, values));
  return tensor;
}
