//===- Team.h - the fixed team of worker threads -*- C++ -*- --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A team of threads that run one program together. Worker 0 is the thread that
// asks for the run; the others wait for work, first spinning for a moment, then
// asleep. One run at a time has the team; others queue for it in order.
#ifndef INGOT_RUNTIME_CPU_TEAM_H
#define INGOT_RUNTIME_CPU_TEAM_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace ingot::rt {

class RunControl;

/// Threads that work together. The process's sessions share one team for each
/// number of workers, so that they do not ask for more threads than that.
// Members that different threads write lie on cache lines of their own.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class Team {
public:
  /// What a worker does.
  using Job = void (*)(void *argument, int worker);

  /// The process's team of `workers`, made if it does not exist. It may have
  /// fewer workers if the system gives no more threads.
  static std::shared_ptr<Team> shared(int workers);

  /// Starts workers - 1 threads.
  explicit Team(int workers);
  Team(const Team &) = delete;
  Team &operator=(const Team &) = delete;
  /// Joins the threads. No run may be under way.
  ~Team();

  /// Workers, the caller included.
  int workers() const { return static_cast<int>(threads.size()) + 1; }

  /// Whether there are more workers than CPUs that the process may use.
  bool isCrowded() const { return spins == 0; }

  /// False in a child process, where the team's threads do not exist.
  bool isAlive() const;

  /// Waits until the team is the caller's; false if `control` stopped first.
  /// A team of one has nothing to wait for: any number of runs may have it.
  bool acquire(const RunControl &control);
  void release();

  /// Lets runs that wait in acquire() see that they were stopped.
  void wakeWaiting();

  /// Runs the job once on each worker; returns when all have finished. The
  /// caller has acquired the team.
  void run(Job job, void *argument);

private:
  void work(int worker);
  void awaitWork(uint64_t seen);
  void awaitDone();

  std::vector<std::thread> threads;
  uint64_t generation;
  unsigned spins;

  // The turn: who may run.
  std::mutex turnMutex;
  std::condition_variable turnChanged;
  std::deque<const RunControl *> queue;
  bool isBusy = false;

  // The job. Written before `epoch` is raised, read after it was seen.
  Job job = nullptr;
  void *argument = nullptr;
  bool isEnding = false;
  alignas(64) std::atomic<uint64_t> epoch{0};
  alignas(64) std::atomic<int> pending{0};

  // Where workers and the caller sleep. The counters let the other side skip
  // the lock when nobody does.
  alignas(64) std::mutex sleepMutex;
  std::condition_variable workArrived, workDone;
  std::atomic<int> sleepers{0};
  std::atomic<bool> isCallerAsleep{false};
};

/// Keeps a team until the end of the scope.
class TeamLease {
public:
  TeamLease(Team &team, const RunControl &control)
      : team(team), isHeld(team.acquire(control)) {}
  TeamLease(const TeamLease &) = delete;
  TeamLease &operator=(const TeamLease &) = delete;
  ~TeamLease() {
    if (isHeld)
      team.release();
  }
  explicit operator bool() const { return isHeld; }

private:
  Team &team;
  bool isHeld;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_TEAM_H
