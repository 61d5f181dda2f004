//===- TunedInputs.cpp - made-up inputs of a program ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/TunedInputs.h"

#include "dialects/Ingot/IR/DimExpr.h"
#include "lib/Machine/MadeInputs.h"

#include <algorithm>
#include <optional>

using namespace ingot;

rt::Result<TunedInputs>
TunedInputs::make(llvm::ArrayRef<rt::TensorInfo> infos,
                  const llvm::StringMap<int64_t> &values, int64_t integer) {
  auto valueOf = [&](llvm::StringRef name) -> std::optional<int64_t> {
    auto known = values.find(name);
    if (known == values.end())
      return std::nullopt;
    return known->second;
  };
  TunedInputs made;
  for (const rt::TensorInfo &info : infos) {
    Input input{info.name, info.dtype, {}, {}};
    for (const rt::Dim &dim : info.dims) {
      std::optional<int64_t> value;
      if (dim.isStatic())
        value = dim.value;
      else if (std::optional<DimExpr> extent = DimExpr::parse(dim.text))
        value = extent->evaluate(valueOf);
      input.dims.push_back(std::max<int64_t>(value.value_or(1), 0));
    }
    auto bytes = rt::tensorBytes(info.name, info.dtype, input.dims);
    if (!bytes.ok())
      return bytes.status();
    input.data.resize(*bytes);
    machine::fill(input.data, info.dtype, info.name, integer);
    made.inputs.push_back(std::move(input));
  }
  return made;
}

std::vector<rt::TensorView> TunedInputs::views() const {
  std::vector<rt::TensorView> views;
  views.reserve(inputs.size());
  for (const Input &input : inputs)
    views.push_back({input.name, unsigned(input.dtype), input.dims,
                     const_cast<std::byte *>(input.data.data()),
                     input.data.size()});
  return views;
}

int64_t ingot::valueOf(const rt::Symbol &symbol, int64_t batch, int64_t other) {
  return std::clamp(machine::namesBatch(symbol.name) ? batch : other,
                    symbol.min, symbol.max);
}
