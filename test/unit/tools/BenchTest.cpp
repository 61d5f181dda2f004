//===- BenchTest.cpp - tests of what ingot bench measures with ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The loops compute what they say, so that nothing of them was optimised away.
#include "lib/Machine/CeilingKernels.h"
#include "lib/Machine/Ceilings.h"
#include "lib/Machine/Samples.h"
#include "tools/ingot/bench/MadeInputs.h"
#include "tools/ingot/bench/Rounds.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>

using namespace ingot::cli;
using namespace ingot::machine;
namespace rt = ingot::rt;

TEST(CeilingKernels, ChainsOfFloatsAlternate) {
  // Twelve chains from 0.75 + i, each step makes 0.75 - x of x.
  EXPECT_EQ(int64_t(floatKernel().run(0)), 75);
  EXPECT_EQ(int64_t(floatKernel().run(3)), -66);
  EXPECT_EQ(int64_t(floatKernel().run(1000)), 75);
  EXPECT_EQ(floatKernel().operations(5),
            2.0 * 5 * double(floatKernel().lanes * floatKernel().instructions));
}

TEST(CeilingKernels, ChainsOfBytesAddUp) {
  if (!byteKernel())
    GTEST_SKIP() << "no products of bytes here";
  // Twelve chains from 3 + i; 3 * -3 is added in each step.
  EXPECT_EQ(int64_t(byteKernel()->run(0)), 102);
  EXPECT_EQ(int64_t(byteKernel()->run(4)), 102 - 9 * 12 * 4);
}

TEST(CeilingKernels, EveryWordIsRead) {
  alignas(64) static uint64_t words[readGranule * 9];
  std::iota(std::begin(words), std::end(words), 1);
  ASSERT_FALSE(readKernels().empty());
  for (const ReadKernel &kernel : readKernels()) {
    for (size_t granules : {1, 2, 9}) {
      size_t count = granules * readGranule;
      EXPECT_EQ(kernel.run(words, count), count * (count + 1) / 2);
    }
    EXPECT_EQ(kernel.run(words, readGranule - 1), 0u);
  }
}

TEST(CeilingKernels, EveryAdditionIsDone) {
  if (!clockKernel())
    GTEST_SKIP() << "no instruction to count cycles with";
  EXPECT_EQ(clockKernel()->run(1000), 1000 * clockKernel()->cycles * 3);
}

TEST(Ceilings, OneRateForEachMeasurement) {
  auto made = Ceilings::create(2);
  ASSERT_TRUE(made.ok());
  Ceilings &ceilings = **made;
  ceilings.measure();
  ceilings.measure();
  for (const Ceiling *ceiling : {&ceilings.floats(), &ceilings.reads()}) {
    ASSERT_EQ(ceiling->rates.size(), 2u);
    EXPECT_GT(ceiling->rates[0], 0);
  }
  EXPECT_EQ(ceilings.threads(), 2);
  EXPECT_GE(ceilings.bufferBytes(), size_t(64) << 20);
}

TEST(Samples, SummaryInterpolates) {
  Summary summary = summarize({5, 1, 2, 4, 3});
  EXPECT_EQ(summary.count, 5u);
  EXPECT_EQ(summary.median, 3);
  EXPECT_EQ(summary.least, 1);
  EXPECT_EQ(summary.most, 5);
  EXPECT_DOUBLE_EQ(summary.low, 1.4);
  EXPECT_DOUBLE_EQ(summary.high, 4.6);
  EXPECT_EQ(median({2, 1}), 1.5);
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(summarize({}).spread(), 0);
}

TEST(MadeInputs, DefaultSizesKeepBounds) {
  std::vector<rt::Symbol> symbols = {{"batch_size"},  {"N"},          {"seq"},
                                     {"short", 0, 7}, {"long", 1000}, {"set"}};
  Symbols values = {{"set", 3}};
  std::vector<std::string> added = addDefaultSizes(symbols, values);
  EXPECT_EQ(added, (std::vector<std::string>{"batch_size", "N", "seq", "short",
                                             "long"}));
  EXPECT_EQ(values, (Symbols{{"batch_size", 1},
                             {"N", 1},
                             {"seq", 128},
                             {"short", 7},
                             {"long", 1000},
                             {"set", 3}}));
}

static Tensor filled(Dtype dtype, int64_t integer = 1) {
  Tensor tensor;
  tensor.name = "x";
  tensor.dtype = dtype;
  tensor.dims = {3, 100};
  fill(tensor, integer);
  return tensor;
}

TEST(MadeInputs, FloatsOfAllWidthsAreTheSameNumbers) {
  Tensor wide = filled(Dtype::F64), single = filled(Dtype::F32),
         half = filled(Dtype::F16), brain = filled(Dtype::BF16);
  double least = 1, most = -1;
  for (int64_t i = 0; i < wide.size(); ++i) {
    double value = wide.asDouble(i);
    least = std::min(least, value);
    most = std::max(most, value);
    EXPECT_EQ(single.asDouble(i), value);
    EXPECT_NEAR(half.asDouble(i), value, std::abs(value) * 0x1p-11 + 0x1p-14);
    EXPECT_NEAR(brain.asDouble(i), value, std::abs(value) * 0x1p-8);
  }
  EXPECT_LT(least, -0.9);
  EXPECT_GE(least, -1);
  EXPECT_GT(most, 0.9);
  EXPECT_LT(most, 1);
}

TEST(MadeInputs, IntegersAreWhatIsAskedFor) {
  for (Dtype dtype :
       {Dtype::Bool, Dtype::U8, Dtype::I16, Dtype::I32, Dtype::I64, Dtype::I4})
    for (int64_t integer : {0, 1}) {
      Tensor tensor = filled(dtype, integer);
      EXPECT_EQ(tensor.asDouble(0), integer);
      EXPECT_EQ(tensor.asDouble(299), integer);
    }
}

TEST(MadeInputs, PromptsStayInTheVocabulary) {
  EXPECT_EQ(madePrompt(4, 1), (std::vector<int64_t>{0, 0, 0, 0}));
  for (int64_t id : madePrompt(5000, 300))
    EXPECT_TRUE(id >= 0 && id < 300) << id;
  EXPECT_NE(madePrompt(2, 300)[0], madePrompt(2, 300)[1]);
}

TEST(Work, SumsWhatIsKnown) {
  std::vector<rt::StageInfo> stages = {
      {"s0", "linear", "", "2 * seq", "seq * 8", "", "", {}, {}},
      {"s1", "generic", "", "", "?u0 * 4", "", "", {}, {}},
      {"s2", "map", "", "seq", "?u0", "", "", {}, {}}};
  Work work;
  work.add(stages, {{"seq", 10}});
  EXPECT_EQ(work.flops, 30);
  EXPECT_EQ(work.bytes, 80);
  EXPECT_EQ(work.stages, 3u);
  ASSERT_EQ(work.unknown.size(), 2u);
  EXPECT_EQ(work.unknown[0]->name, "s1");
  work.add(stages, {{"seq", 5}});
  EXPECT_EQ(work.flops, 45);
  EXPECT_EQ(work.unknown.size(), 2u);

  Work none;
  none.add({{"s1", "generic", "", "", "", "", "", {}, {}}}, {});
  EXPECT_FALSE(none.flops.has_value());
  EXPECT_FALSE(none.bytes.has_value());
}
