//===- TeamTest.cpp - the thread team and how many workers it has ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestArtifact.h"

#include "runtime/cpu/CpuFeatures.h"
#include "runtime/cpu/Patience.h"
#include "runtime/cpu/Team.h"
#include "runtime/cpu/WorkerCount.h"

#include <map>
#include <sched.h>

using namespace ingot::rt;
using namespace ingot::rt::test;

namespace {
/// Counts how often each worker ran.
struct Counts {
  std::vector<int> runs = std::vector<int>(16);
  static void job(void *argument, int worker) {
    ++static_cast<Counts *>(argument)->runs[worker];
  }
};

/// A run that nobody stops.
struct Unstopped {
  int32_t error = 0;
  RunControl control{&error, nullptr, {}, nullptr};
};
} // namespace

TEST(Team, RunsEachWorkerOnce) {
  for (int workers : {1, 2, 3, 8}) {
    Team team(workers);
    EXPECT_EQ(team.workers(), workers);
    Counts counts;
    for (int i = 0; i < 300; ++i)
      team.run(Counts::job, &counts);
    for (int worker = 0; worker < 16; ++worker)
      EXPECT_EQ(counts.runs[worker], worker < workers ? 300 : 0);
  }
}

TEST(Team, WakesUpAfterSleeping) {
  Team team(2);
  Counts counts;
  for (int i = 0; i < 5; ++i) {
    team.run(Counts::job, &counts);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(counts.runs[1], 5);
}

TEST(Team, CallerSleepsThroughLongWork) {
  Team team(2);
  static std::atomic<bool> isDone;
  isDone = false;
  team.run(
      [](void *, int worker) {
        if (worker == 1) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          isDone = true;
        }
      },
      nullptr);
  EXPECT_TRUE(isDone);
}

TEST(Team, OneRunAtATime) {
  Team team(2);
  Counts counts; // Not atomic: a second run at once would be a race.
  std::vector<std::thread> hosts;
  for (int host = 0; host < 4; ++host)
    hosts.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        Unstopped unstopped;
        TeamLease lease(team, unstopped.control);
        ASSERT_TRUE(lease);
        team.run(Counts::job, &counts);
      }
    });
  for (std::thread &host : hosts)
    host.join();
  EXPECT_EQ(counts.runs[0], 200);
  EXPECT_EQ(counts.runs[1], 200);
}

TEST(Team, SharedByNumberOfWorkers) {
  std::shared_ptr<Team> two = Team::shared(2);
  EXPECT_EQ(Team::shared(2), two);
  EXPECT_NE(Team::shared(3), two);
  EXPECT_TRUE(two->isAlive());
}

TEST(Team, TimeLimitEndsWaiting) {
  Team team(2);
  Unstopped first;
  TeamLease held(team, first.control);
  int32_t error = 0;
  RunControl limited(&error, &team, std::chrono::milliseconds(10), nullptr);
  TeamLease lease(team, limited);
  EXPECT_FALSE(lease);
  EXPECT_EQ(limited.reason(), Code::TimeLimit);
}

TEST(Team, IsCrowdedBeyondTheCpus) {
  EXPECT_FALSE(Team(1).isCrowded());
  EXPECT_TRUE(Team(availableWorkers() + 1).isCrowded());
}

//===----------------------------------------------------------------------===//
// How a worker waits
//===----------------------------------------------------------------------===//

/// How often each step comes when nothing arrives, up to the first sleep.
static std::map<Patience::Step, int> stepsOf(Patience &patience,
                                             int64_t arrivals) {
  std::map<Patience::Step, int> counts;
  while (true) {
    Patience::Step step = patience.next(arrivals);
    if (++counts[step], step == Patience::Step::Sleep)
      return counts;
  }
}

TEST(Patience, SpinsYieldsAndSleeps) {
  Patience patience(/*isCrowded=*/false);
  EXPECT_EQ(patience.next(3), Patience::Step::Spin);
  auto counts = stepsOf(patience, 3);
  EXPECT_GT(counts[Patience::Step::Spin], 100);
  EXPECT_GT(counts[Patience::Step::Yield], 100);
  EXPECT_EQ(patience.next(3), Patience::Step::Sleep);
}

TEST(Patience, BeginsAnewWhenSomebodyArrives) {
  Patience patience(/*isCrowded=*/false);
  auto first = stepsOf(patience, 3);
  EXPECT_EQ(stepsOf(patience, 4), first);
}

TEST(Patience, BeginsAnewBehindWork) {
  Patience patience(/*isCrowded=*/false);
  stepsOf(patience, 3);
  EXPECT_EQ(patience.next(3), Patience::Step::Sleep);
  EXPECT_EQ(patience.next(3, /*hasWorked=*/true), Patience::Step::Spin);
}

TEST(Patience, DoesNotSpinInACrowd) {
  Patience patience(/*isCrowded=*/true);
  EXPECT_EQ(patience.next(0), Patience::Step::Yield);
  EXPECT_EQ(stepsOf(patience, 0)[Patience::Step::Spin], 0);
}

//===----------------------------------------------------------------------===//
// How many workers
//===----------------------------------------------------------------------===//

static void put(const TemporaryFolder &folder, const std::string &name,
                const std::string &text) {
  std::filesystem::path path = folder.path / name;
  std::filesystem::create_directories(path.parent_path());
  writeFile(path, Bytes(text.begin(), text.end()));
}

TEST(WorkerCount, CgroupV2) {
  TemporaryFolder root;
  const std::string path = root.path;
  EXPECT_EQ(cgroupCpuLimit("0::/a/b\n", path), 0);
  put(root, "a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroupCpuLimit("0::/a/b\n", path), 0);
  put(root, "a/cpu.max", "250000 100000\n");
  EXPECT_EQ(cgroupCpuLimit("0::/a/b\n", path), 2.5);
  put(root, "a/b/cpu.max", "400000 100000\n");
  EXPECT_EQ(cgroupCpuLimit("0::/a/b\n", path), 2.5);
  put(root, "a/b/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroupCpuLimit("0::/a/b\n", path), 1.5);
  EXPECT_EQ(cgroupCpuLimit("0::/\n", path), 0);
}

TEST(WorkerCount, CgroupV2InAContainer) {
  // The path is the host's; what is mounted is the group itself.
  TemporaryFolder root;
  put(root, "cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroupCpuLimit("0::/docker/123\n", root.path), 0.5);
}

TEST(WorkerCount, CgroupV1) {
  TemporaryFolder root;
  const std::string membership = "9:name=systemd:/\n5:cpuset:/x\n"
                                 "4:cpu,cpuacct:/job\n0::/\n";
  put(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
  put(root, "cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroupCpuLimit(membership, root.path), 0);
  put(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(cgroupCpuLimit(membership, root.path), 3);
  put(root, "cpu/job/cpu.cfs_quota_us", "200000\n");
  put(root, "cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroupCpuLimit("4:cpu:/job\n", root.path), 2);
}

TEST(WorkerCount, StrangeText) {
  TemporaryFolder root;
  put(root, "cpu.max", "nonsense");
  for (const char *text : {"", ":", "::", "0::", "a:b", "0::/..//../", "\n\n"})
    EXPECT_EQ(cgroupCpuLimit(text, root.path), 0) << text;
}

TEST(WorkerCount, FollowsAffinity) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  int before = availableWorkers();
  EXPECT_GE(before, 1);
  EXPECT_LE(before, CPU_COUNT(&all));
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &all))
        CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(availableWorkers(), 1);
  }).join();
}

TEST(CpuFeatures, KnowsThisMachine) {
  // The compiler's own detection as the witness.
  EXPECT_TRUE(cpuHas("sse2"));
  EXPECT_EQ(cpuHas("avx2"), bool(__builtin_cpu_supports("avx2")));
  EXPECT_EQ(cpuHas("fma"), bool(__builtin_cpu_supports("fma")));
  EXPECT_EQ(cpuHas("bmi2"), bool(__builtin_cpu_supports("bmi2")));
  EXPECT_EQ(cpuHas("avx512f"), bool(__builtin_cpu_supports("avx512f")));
  EXPECT_EQ(cpuHas("avx512vl"), bool(__builtin_cpu_supports("avx512vl")));
  EXPECT_EQ(cpuHas("avx512vnni"), bool(__builtin_cpu_supports("avx512vnni")));
  EXPECT_FALSE(cpuHas(""));
  EXPECT_FALSE(cpuHas("avx9000"));
}
