//===- TableTest.cpp - tests of tables, amounts and cache keys ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Table.h"

#include "test/unit/tools/TensorMaker.h"
#include "tools/ingot/ModelFile.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace ingot::cli;

TEST(Table, AlignsColumns) {
  Table table({"name", ">n", "rest"});
  table.add({"a", "12345", "x"});
  table.add({"größer", "1", "long text"});
  EXPECT_EQ(table.str(), "  name        n  rest\n"
                         "  a       12345  x\n"
                         "  größer      1  long text\n");
}

TEST(Table, CutsTheLastColumn) {
  Table table({"a", "nodes"});
  table.add({"x", std::string(50, 'n')});
  EXPECT_EQ(table.str(25), "  a  nodes\n  x  " + std::string(19, 'n') + "…\n");
}

TEST(Table, Quantities) {
  EXPECT_EQ(quantity(0, "B"), "0 B");
  EXPECT_EQ(quantity(999, "B"), "999 B");
  EXPECT_EQ(quantity(1234, "B"), "1.23 kB");
  EXPECT_EQ(quantity(99950, "B"), "100 kB");
  EXPECT_EQ(quantity(12.3e9, "FLOP"), "12.3 GFLOP");
  EXPECT_EQ(share(1, 8), "12.5 %");
  EXPECT_EQ(share(0, 0), "");
}

TEST(CacheKey, ChangesWithWhatMatters) {
  namespace fs = std::filesystem;
  fs::path root = testing::TempDir() + "ingot-key-" + std::to_string(getpid());
  fs::create_directories(root);
  auto put = [&](const char *file, const std::string &text) {
    std::ofstream(root / file, std::ios::binary) << text;
  };
  std::string model = (root / "m.onnx").string();
  put("m.onnx",
      wireField(7, wireField(5, wireField(13, wireField(1, "location") +
                                                  wireField(2, "w.bin")))));
  put("w.bin", "1234");
  CompileOptions options;
  std::string key = cacheKey(model, options, "compiler 1");
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(cacheKey(model, options, "compiler 1"), key);
  EXPECT_NE(cacheKey(model, options, "compiler 2"), key);
  options.target = "x86-64-v3";
  EXPECT_NE(cacheKey(model, options, "compiler 1"), key);
  options.target = "native";
  put("w.bin", "1235");
  EXPECT_NE(cacheKey(model, options, "compiler 1"), key);
  put("w.bin", "1234");
  EXPECT_EQ(cacheKey(model, options, "compiler 1"), key);
  fs::remove(root / "w.bin");
  EXPECT_NE(cacheKey(model, options, "compiler 1"), key);
  put("m.onnx", "not a model");
  EXPECT_THROW(cacheKey(model, options, "compiler 1"), Error);
  fs::remove_all(root);
}
