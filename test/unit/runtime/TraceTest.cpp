//===- TraceTest.cpp - when each worker did what --------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestArtifact.h"

#include <nlohmann/json.hpp>
#include <thread>

using namespace ingot::rt;
using namespace ingot::rt::test;
using Json = nlohmann::json;

static void runOnce(Session &session) {
  Feeds feeds(2, 3, Add);
  auto result = session.run(feeds.views, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
}

/// The file of what was traced.
static Json written(Session &session) {
  TemporaryFolder folder;
  std::string path = folder.file("trace.json");
  Status status = session.tracer().write(session.runsModel(), path);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(folder.entries(), 1u);
  Bytes bytes = readFile(path);
  return Json::parse(bytes.begin(), bytes.end());
}

/// Events of a category.
static std::vector<Json> eventsOf(const Json &trace, const char *category) {
  std::vector<Json> found;
  for (const Json &event : trace["traceEvents"])
    if (event.value("cat", "") == category)
      found.push_back(event);
  return found;
}

TEST(Trace, TellsStagesAndWaitsOfEachWorker) {
  auto session = makeSession(2);
  runOnce(*session); // Before the trace: not in it.
  session->tracer().start();
  runOnce(*session);
  runOnce(*session);
  Json trace = written(*session);
  EXPECT_EQ(trace["otherData"]["runs"], 2);
  EXPECT_EQ(trace["otherData"]["runs_left_out"], 0);

  std::vector<Json> runs = eventsOf(trace, "run");
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0]["name"], "main");
  EXPECT_EQ(runs[0]["args"]["workers"], 2);
  double firstEnd = runs[0]["ts"].get<double>() + runs[0]["dur"].get<double>();
  EXPECT_LE(firstEnd, runs[1]["ts"].get<double>());

  // Each worker works on stage 0 and then waits. What is no stage of the
  // manifest's is left out.
  std::vector<Json> stages = eventsOf(trace, "stage");
  std::vector<Json> waits = eventsOf(trace, "wait");
  ASSERT_EQ(stages.size(), 4u);
  ASSERT_EQ(waits.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(stages[i]["name"], "add");
    EXPECT_EQ(stages[i]["args"]["stage"], 0);
    EXPECT_EQ(stages[i]["args"]["nodes"], "Add_1");
    EXPECT_EQ(stages[i]["tid"], i % 2 + 1);
    double end = stages[i]["ts"].get<double>() + stages[i]["dur"].get<double>();
    EXPECT_NEAR(end, waits[i]["ts"].get<double>(), 2e-3);
    // No worker leaves the barrier before both have come to it.
    double left = waits[i]["ts"].get<double>() + waits[i]["dur"].get<double>();
    size_t other = i ^ 1;
    EXPECT_GE(left + 2e-3, waits[other]["ts"].get<double>());
  }
}

TEST(Trace, IsForgottenByTheNextOne) {
  auto session = makeSession(1);
  session->tracer().start();
  runOnce(*session);
  session->tracer().start();
  EXPECT_EQ(written(*session)["otherData"]["runs"], 0);
}

TEST(Trace, LeavesOutRunsThatAreTooLong) {
  auto session = makeSession(1);
  session->tracer().start();
  Feeds feeds(2, 3, Spin);
  auto stopped = session->run(feeds.views, {}, {.timeLimit = 0.2});
  EXPECT_EQ(stopped.status().code(), Code::TimeLimit);
  runOnce(*session);
  Json trace = written(*session);
  EXPECT_EQ(trace["otherData"]["runs"], 1);
  EXPECT_EQ(trace["otherData"]["runs_left_out"], 1);
}

TEST(Trace, RunsOfSeveralThreads) {
  auto session = makeSession(2);
  session->tracer().start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int run = 0; run < 10; ++run)
        runOnce(*session);
    });
  for (std::thread &thread : threads)
    thread.join();
  Json trace = written(*session);
  EXPECT_EQ(trace["otherData"]["runs"], 40);
  EXPECT_EQ(eventsOf(trace, "stage").size(), 80u);
}

TEST(Trace, RefusesWhatCannotBeWritten) {
  auto session = makeSession(1);
  TemporaryFolder folder;
  Status status =
      session->tracer().write(session->runsModel(), folder.file("t"));
  EXPECT_EQ(status.code(), Code::InvalidArgument);
  EXPECT_EQ(status.message(), "no trace was started");
  session->tracer().start();
  status = session->tracer().write(session->runsModel(), folder.file("no/t"));
  EXPECT_EQ(status.code(), Code::IoError);
  // It is still there to be written elsewhere.
  EXPECT_EQ(written(*session)["otherData"]["runs"], 0);
  EXPECT_EQ(
      session->tracer().write(session->runsModel(), folder.file("t")).code(),
      Code::InvalidArgument);
}
