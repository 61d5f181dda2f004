//===- IsolationTest.cpp - tests of cases in processes of their own -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/check/Isolation.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace ingot::cli;

/// Runs `work` for each index and returns the results.
static std::vector<CaseResult>
runAll(size_t count, const IsolationOptions &options,
       const std::function<CaseResult(size_t, const std::string &)> &work) {
  std::vector<CaseResult> results;
  EXPECT_TRUE(runIsolated(count, options, work,
                          [&](size_t index, const CaseResult &result) {
                            EXPECT_EQ(index, results.size());
                            results.push_back(result);
                          }));
  return results;
}

TEST(Isolation, ResultsComeBackInOrder) {
  auto results =
      runAll(8, {4, 60}, [](size_t index, const std::string &folder) {
        usleep(useconds_t(8 - index) * 2000);
        CaseResult result;
        result.outcome = Outcome(index % 3);
        result.reason = std::to_string(index) + " \"quoted\" \xff";
        result.largestDifference = 0.5;
        std::ofstream(folder + "/file") << "x";
        return result;
      });
  ASSERT_EQ(results.size(), 8u);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(results[i].outcome, Outcome(i % 3));
    EXPECT_EQ(results[i].reason.substr(0, 10),
              std::to_string(i) + " \"quoted\"");
    EXPECT_EQ(results[i].largestDifference, 0.5);
  }
}

TEST(Isolation, CrashFailsOnlyItsCase) {
  auto results = runAll(3, {2, 60}, [](size_t index, const std::string &) {
    CaseResult result;
    result.outcome = Outcome::Passed;
    if (index == 1) {
      std::fputs("last words\n\n", stderr);
      std::signal(SIGABRT, SIG_DFL);
      std::raise(SIGABRT);
    }
    return result;
  });
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].outcome, Outcome::Passed);
  EXPECT_EQ(results[1].outcome, Outcome::Failed);
  EXPECT_EQ(results[1].reason, "crashed (Aborted): last words");
  EXPECT_EQ(results[2].outcome, Outcome::Passed);
}

TEST(Isolation, HangFails) {
  auto results = runAll(2, {2, 0.3}, [](size_t index, const std::string &) {
    CaseResult result;
    result.outcome = Outcome::Passed;
    if (index == 0)
      for (;;)
        pause();
    return result;
  });
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].reason, "took longer than 0.3 s");
  EXPECT_EQ(results[1].outcome, Outcome::Passed);
}

TEST(Isolation, QuitFails) {
  auto results = runAll(1, {1, 60}, [](size_t, const std::string &) {
    _exit(0);
    return CaseResult();
  });
  EXPECT_EQ(results[0].outcome, Outcome::Failed);
  EXPECT_EQ(results[0].reason, "the case's process sent no result");
}

TEST(Case, FindsCases) {
  namespace fs = std::filesystem;
  std::string root =
      testing::TempDir() + "ingot-cases-" + std::to_string(getpid());
  for (const char *name : {"b", "a"}) {
    fs::create_directories(root + "/" + name + "/test_data_set_0");
    std::ofstream(root + "/" + name + "/model.onnx") << "x";
  }
  fs::create_directories(root + "/empty");
  auto cases = findCases({root, root + "/a/"});
  ASSERT_EQ(cases.size(), 3u);
  EXPECT_EQ(cases[0].name, "a");
  EXPECT_EQ(cases[1].name, "b");
  EXPECT_EQ(cases[1].folder, root + "/b");
  EXPECT_THROW(findCases({root + "/empty"}), Error);
  EXPECT_THROW(findCases({root + "/none"}), Error);
  fs::remove_all(root);
}

TEST(Case, SkipReasons) {
  EXPECT_TRUE(isSkipReason("unsupported op: Foo (1 node: x)"));
  EXPECT_TRUE(isSkipReason("subgraph: Loop\nother"));
  EXPECT_FALSE(isSkipReason("model.onnx: unsupported op: Foo"));
  EXPECT_FALSE(isSkipReason("unsupported operation"));
  EXPECT_FALSE(isSkipReason(""));
}
