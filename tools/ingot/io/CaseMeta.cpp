//===- CaseMeta.cpp - a test case's meta.json -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/CaseMeta.h"

#include <nlohmann/json.hpp>

using namespace ingot::cli;

Tolerance ingot::cli::readTolerance(const std::string &path) {
  std::vector<std::byte> bytes = readFile(path);
  const char *text = reinterpret_cast<const char *>(bytes.data());
  nlohmann::json meta = nlohmann::json::parse(text, text + bytes.size(),
                                              nullptr, /*exceptions=*/false);
  if (!meta.is_object())
    throw Error(path + ": not a JSON object");
  Tolerance tolerance;
  auto take = [&](const char *key, double &to) {
    auto it = meta.find(key);
    if (it == meta.end())
      return;
    if (!it->is_number() || !(it->get<double>() >= 0))
      throw Error(path + ": '" + key + "' is not a number of at least zero");
    to = it->get<double>();
  };
  take("rtol", tolerance.rtol);
  take("atol", tolerance.atol);
  return tolerance;
}
