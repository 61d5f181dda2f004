//===- ForkTest.cpp - sessions in a child process -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace ingot::rt;
using namespace ingot::rt::test;

// ThreadSanitizer does not support threads after a fork of many threads.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define INGOT_NO_FORK_TESTS
#endif
#endif

#ifndef INGOT_NO_FORK_TESTS
/// The exit status of a body run in a child process.
template <typename Body> static int inChild(Body body) {
  pid_t child = fork();
  if (child == 0)
    _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool runs(Session &session, const RunOptions &options = {}) {
  Feeds feeds(3, 50, Add);
  auto result = session.run(feeds.views, {}, options);
  if (!result.ok())
    return false;
  expectSum(*result, feeds);
  return !testing::Test::HasFailure();
}

TEST(Fork, TheChildHasATeamOfItsOwn) {
  auto session = makeSession(3);
  ASSERT_TRUE(runs(*session));
  EXPECT_EQ(inChild([&] {
              bool good = runs(*session) && runs(*session);
              session.reset(); // The parent's team must not be joined.
              return good ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(runs(*session));
}

TEST(Fork, GrandchildrenToo) {
  auto session = makeSession(2);
  EXPECT_EQ(inChild([&] {
              if (!runs(*session))
                return 1;
              return inChild([&] { return runs(*session) ? 0 : 2; });
            }),
            0);
}

TEST(Fork, WhileOthersRun) {
  auto session = makeSession(2);
  CancelToken token;
  std::vector<std::thread> hosts;
  for (int host = 0; host < 2; ++host)
    hosts.emplace_back([&] {
      Feeds endless(1, 1, Spin);
      RunOptions options;
      options.cancel = &token;
      (void)session->run(endless.views, {}, options).ok();
    });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(inChild([&] {
                token.request(); // Its runs are the parent's.
                token.reset();
                RunOptions options;
                options.timeLimit = 100; // Needs a watchdog of its own.
                options.cancel = &token;
                return runs(*session, options) ? 0 : 1;
              }),
              0);
  token.request();
  for (std::thread &host : hosts)
    host.join();
  token.reset();
  EXPECT_TRUE(runs(*session));
}

TEST(Fork, SequencesGoOnApart) {
  auto session = decoderSession(2);
  auto sequence = makeSequence(session), busy = makeSequence(session);
  Ids ids = someIds(150);
  expectReads(*sequence, {}, ids);
  SequenceUse use(*busy); // By a call that the child does not have.
  EXPECT_EQ(inChild([&] {
              expectReads(*sequence, ids, someIds(9, 1));
              auto copy = sequence->fork();
              expectReads(**copy, ids + someIds(9, 1), someIds(200, 2));
              EXPECT_TRUE(sequence->truncate(0).ok());
              EXPECT_FALSE(SequenceUse(*busy).status().ok());
              return testing::Test::HasFailure() ? 1 : 0;
            }),
            0);
  expectReads(*sequence, ids, someIds(9, 3));
}
#endif
