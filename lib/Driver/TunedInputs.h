//===- TunedInputs.h - made-up inputs of a program --------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "runtime/core/Binding.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"

#include <vector>

namespace ingot {

/// Inputs of a program that nobody has to give, and their data.
class TunedInputs {
public:
  /// For values of the symbols; integers are all `integer`.
  static rt::Result<TunedInputs> make(llvm::ArrayRef<rt::TensorInfo> infos,
                                      const llvm::StringMap<int64_t> &values,
                                      int64_t integer);

  /// They live as long as this.
  std::vector<rt::TensorView> views() const;

private:
  struct Input {
    std::string name;
    rt::DType dtype;
    std::vector<int64_t> dims;
    std::vector<std::byte> data;
  };
  std::vector<Input> inputs;
};

/// The value of a symbol nearest to what is wanted: of one that names a batch
/// `batch`, of others `other`.
int64_t valueOf(const rt::Symbol &symbol, int64_t batch, int64_t other);

} // namespace ingot
