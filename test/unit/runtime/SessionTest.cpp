//===- SessionTest.cpp - runs: results, refusals, concurrency, stopping ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestArtifact.h"

#include "runtime/core/Abi.h"

#include <immintrin.h>

using namespace ingot::rt;
using namespace ingot::rt::test;

static void expectRefusal(Result<RunResult> result, Code code,
                          std::initializer_list<const char *> parts) {
  Status status = result.status();
  EXPECT_EQ(status.code(), code) << status.message();
  for (const char *part : parts)
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "'" << part << "' is not in: " << status.message();
}

/// An output that the result shall own.
static TensorView byName(std::string_view name) {
  TensorView view;
  view.name = name;
  return view;
}

/// Runs with one of the inputs changed.
static Result<RunResult> runWith(void (*change)(std::vector<TensorView> &)) {
  Feeds feeds(2, 3, Add);
  change(feeds.views);
  return makeSession()->run(feeds.views, {});
}

TEST(Session, Computes) {
  for (int threads : {1, 2, 5}) {
    auto session = makeSession(threads);
    EXPECT_EQ(session->threads(), threads);
    for (int64_t n : {1, 3, 17, 1000, 2}) {
      Feeds feeds(3, n, Add);
      auto result = session->run(feeds.views, {});
      ASSERT_TRUE(result.ok()) << result.status().message();
      expectSum(*result, feeds);
      EXPECT_EQ(result->stats.workers, threads);
      EXPECT_EQ(result->stats.arenaBytes, 8u * threads);
      EXPECT_GT(result->stats.milliseconds, 0);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(result->outputs[0].data) %
                    INGOT_ALIGNMENT,
                0u);
    }
  }
}

TEST(Session, InputsInAnyOrder) {
  Feeds feeds(2, 3, Add);
  std::swap(feeds.views[0], feeds.views[2]);
  auto result = makeSession()->run(feeds.views, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  expectSum(*result, feeds);
}

TEST(Session, EmptyTensors) {
  auto session = makeSession();
  for (auto [batch, n] : {std::pair(0, 4), std::pair(4, 0), std::pair(0, 0)}) {
    Feeds feeds(batch, n, Add);
    feeds.views[0].data = nullptr;
    auto result = session->run(feeds.views, {});
    ASSERT_TRUE(result.ok()) << result.status().message();
    expectSum(*result, feeds);
  }
}

TEST(Session, RefusesWrongInputs) {
  using Views = std::vector<TensorView>;
  Code invalid = Code::InvalidArgument;
  expectRefusal(runWith([](Views &v) { v[0].name = "x"; }), invalid,
                {"no input 'x'", "'a', 'b', 'mode'"});
  expectRefusal(runWith([](Views &v) { v[1].name = "a"; }), invalid,
                {"'a' is given twice"});
  expectRefusal(runWith([](Views &v) { v.pop_back(); }), invalid,
                {"'mode' (i32 [1]) is missing"});
  expectRefusal(runWith([](Views &v) { v[0].dtype = unsigned(DType::F64); }),
                invalid, {"'a' has dtype f64, expected f32"});
  expectRefusal(runWith([](Views &v) { v[0].dtype = 1000; }), invalid,
                {"dtype unknown"});
  expectRefusal(runWith([](Views &v) { v[0].dims = v[0].dims.first(1); }),
                invalid, {"'a' has rank 1, expected 2 [batch, n]"});
  expectRefusal(runWith([](Views &v) { v[0].bytes = 23; }), invalid,
                {"'a' has 23 bytes", "[2, 3] of f32 needs 24"});
  expectRefusal(runWith([](Views &v) { v[0].data = nullptr; }), invalid,
                {"'a' has no data"});
  expectRefusal(
      runWith([](Views &v) { v[0].data = static_cast<char *>(v[0].data) + 1; }),
      invalid, {"'a' is not aligned"});
}

TEST(Session, RefusesWrongDims) {
  auto refuse = [](std::vector<int64_t> dims,
                   std::initializer_list<const char *> parts) {
    Feeds feeds(2, 3, Add);
    feeds.views[1].dims = dims;
    expectRefusal(makeSession()->run(feeds.views, {}), Code::InvalidArgument,
                  parts);
  };
  refuse({2, 4}, {"dim 'n' has two values", "3 (dim 1 of input 'a')",
                  "4 (dim 1 of input 'b')"});
  refuse({2, -1}, {"dim 1 of input 'b' is -1"});
  refuse({1001, 3}, {"'b' is 1001", "'batch' must be in 0 to 1000"});

  Feeds feeds(2, 3, Add);
  std::vector<int64_t> two = {2};
  feeds.views[2].dims = two;
  expectRefusal(makeSession()->run(feeds.views, {}), Code::InvalidArgument,
                {"dim 0 of input 'mode' is 2, expected 1"});
  std::vector<int64_t> huge = {1000, int64_t(1) << 60};
  feeds.views[0].dims = feeds.views[1].dims = huge;
  expectRefusal(makeSession()->run(feeds.views, {}), Code::InvalidArgument,
                {"too large to address"});
}

TEST(Session, ReportsChecksOfTheModel) {
  auto session = makeSession();
  Feeds wide(0, (1 << 20) + 1, Add);
  expectRefusal(session->run(wide.views, {}), Code::InvalidArgument,
                {"n is too large"});
  Feeds failing(1, 1, Fail);
  expectRefusal(session->run(failing.views, {}), Code::RuntimeCheck,
                {"the check failed on request"});
  Feeds good(1, 1, Add);
  auto result = session->run(good.views, {});
  ASSERT_TRUE(result.ok());
  expectSum(*result, good);
}

TEST(Session, LimitsTheArena) {
  SessionOptions options;
  options.threads = 2;
  options.maxArenaBytes = 15;
  Feeds feeds(1, 1, Add);
  expectRefusal(makeSession(options)->run(feeds.views, {}), Code::OutOfMemory,
                {"arena of 16 bytes", "limit of 15"});
}

TEST(Session, ComputesShapes) {
  auto session = makeSession();
  Feeds feeds(4, 9, Add);
  feeds.views[0].data = nullptr;
  auto shapes = session->shapes(feeds.views);
  ASSERT_TRUE(shapes.ok()) << shapes.status().message();
  EXPECT_EQ(shapes->outputs[0].dims, (std::vector<int64_t>{4, 9}));
  EXPECT_EQ(shapes->outputs[0].bytes, 144u);
  EXPECT_EQ(shapes->outputs[0].data, nullptr);
  EXPECT_EQ(shapes->stats.arenaBytes, 16u);
}

TEST(Session, WritesToTheCallersMemory) {
  auto session = makeSession();
  Feeds feeds(2, 3, Add);
  int64_t report = 0;
  std::vector<TensorView> wanted = {{"report", 0, {}, &report, sizeof(report)}};
  auto result = session->run(feeds.views, wanted);
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_EQ(result->outputs.size(), 1u);
  EXPECT_EQ(result->outputs[0].data, &report);
  EXPECT_EQ(report, 6);

  // One placed, one not, in the caller's order.
  wanted.push_back(byName("sum"));
  result = session->run(feeds.views, wanted);
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_EQ(result->outputs.size(), 2u);
  EXPECT_EQ(static_cast<float *>(result->outputs[1].data)[5], 1015);
}

TEST(Session, RefusesWrongBuffers) {
  auto session = makeSession();
  Feeds feeds(2, 3, Add);
  std::vector<float> sum(7);
  auto refuse = [&](std::vector<TensorView> wanted,
                    std::initializer_list<const char *> parts) {
    expectRefusal(session->run(feeds.views, wanted), Code::InvalidArgument,
                  parts);
  };
  refuse({{"sum", 0, {}, sum.data(), 23}}, {"'sum' has 23 bytes", "needs 24"});
  refuse({{"sum", 0, {}, reinterpret_cast<char *>(sum.data()) + 1, 27}},
         {"'sum' is not aligned"});
  refuse({{"sum", 0, {}, feeds.b.data() + 5, 24}}, {"overlaps input 'b'"});
  refuse({{"sum", 0, {}, sum.data(), 24}, {"report", 0, {}, sum.data() + 4, 8}},
         {"'report' overlaps output 'sum'"});
  refuse({byName("sum"), byName("sum")}, {"'sum' is asked for twice"});
  refuse({byName("x")}, {"no output 'x'", "'sum', 'report'"});
}

TEST(Session, SeveralThreads) {
  auto session = makeSession(2);
  auto other = makeSession(2);
  auto alone = makeSession(1);
  std::vector<std::thread> hosts;
  for (int host = 0; host < 6; ++host)
    hosts.emplace_back([&, host] {
      Session &mine = host < 3 ? *session : host < 5 ? *other : *alone;
      for (int i = 0; i < 40; ++i) {
        Feeds feeds(1 + host, 1 + i, Add);
        auto result = mine.run(feeds.views, {});
        ASSERT_TRUE(result.ok()) << result.status().message();
        expectSum(*result, feeds);
      }
    });
  for (std::thread &host : hosts)
    host.join();
}

TEST(Session, TimeLimit) {
  for (int threads : {1, 2, 4}) {
    auto session = makeSession(threads);
    Feeds endless(1, 1, Spin);
    RunOptions options;
    options.timeLimit = 0.02;
    auto start = Clock::now();
    expectRefusal(session->run(endless.views, {}, options), Code::TimeLimit,
                  {"time limit"});
    EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(20));
    // A limit that is not reached changes nothing.
    Feeds good(2, 2, Add);
    options.timeLimit = 1000;
    auto result = session->run(good.views, {}, options);
    ASSERT_TRUE(result.ok()) << result.status().message();
    expectSum(*result, good);
    options.timeLimit = -1;
    expectRefusal(session->run(good.views, {}, options), Code::InvalidArgument,
                  {"time limit"});
  }
}

TEST(Session, Cancel) {
  auto session = makeSession(2);
  CancelToken token;
  RunOptions options;
  options.cancel = &token;
  // Two runs: one spins, one waits for the team. Both end.
  std::vector<std::thread> hosts;
  for (int host = 0; host < 2; ++host)
    hosts.emplace_back([&] {
      Feeds endless(1, 1, Spin);
      expectRefusal(session->run(endless.views, {}, options), Code::Cancelled,
                    {"cancelled"});
    });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  token.request();
  for (std::thread &host : hosts)
    host.join();

  Feeds good(1, 1, Add);
  expectRefusal(session->run(good.views, {}, options), Code::Cancelled, {});
  token.reset();
  EXPECT_TRUE(session->run(good.views, {}, options).ok());
}

TEST(Session, KeepsItsOwnRounding) {
  // Rounding, flushing and masks; the rest says what has happened so far.
  constexpr unsigned control = 0xFFC0;
  constexpr unsigned standard = 0x1F80, flushing = 0x9FC0;
  auto session = makeSession(2);
  unsigned before = _mm_getcsr();
  _mm_setcsr(flushing);
  Feeds feeds(1, 1, Rounding);
  auto result = session->run(feeds.views, {});
  EXPECT_EQ(_mm_getcsr() & control, flushing);
  _mm_setcsr(before);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*static_cast<const int64_t *>(result->outputs[1].data) & control,
            standard);
}

TEST(Session, LogsAndLimitsThreads) {
  std::vector<std::string> lines;
  SessionOptions options;
  options.threads = 64;
  options.log = [&](LogLevel, const std::string &line) {
    lines.push_back(line);
  };
  auto session = makeSession(options);
  Feeds feeds(2, 100, Add);
  auto result = session->run(feeds.views, {});
  ASSERT_TRUE(result.ok());
  expectSum(*result, feeds);
  if (std::thread::hardware_concurrency() < 64)
    EXPECT_EQ(lines.size(), 1u);

  auto model = loadModel(artifactBytes());
  ASSERT_TRUE(model.ok());
  options.threads = -1;
  EXPECT_FALSE(Session::create(*model, options).ok());
}
