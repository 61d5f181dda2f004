//===- Team.cpp - the fixed team of worker threads ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/cpu/Team.h"

#include "runtime/cpu/Pause.h"
#include "runtime/cpu/ProcessState.h"
#include "runtime/cpu/RunControl.h"
#include "runtime/cpu/WorkerCount.h"

#include <algorithm>
#include <map>
#include <system_error>

using namespace ingot::rt;

/// Pauses before a thread goes to sleep: some tens of microseconds, longer
/// than the gap between two runs of a busy host.
static constexpr unsigned spinLimit = 2000;

std::shared_ptr<Team> Team::shared(int workers) {
  // Never destroyed, so that late sessions find it.
  static auto *teams = new std::map<int, std::weak_ptr<Team>>;
  std::lock_guard lock(processMutex());
  std::shared_ptr<Team> team = (*teams)[workers].lock();
  if (team && team->isAlive())
    return team;
  // A team whose threads were left in the parent process cannot be joined or
  // even destroyed here; it is kept for ever.
  team = std::shared_ptr<Team>(new Team(workers), [](Team *unused) {
    if (unused->isAlive())
      delete unused;
  });
  (*teams)[workers] = team;
  return team;
}

Team::Team(int workers)
    : generation(forkGeneration()),
      // With more workers than CPUs, spinning only delays who has work to do.
      spins(workers <= availableWorkers() ? spinLimit : 0) {
  threads.reserve(workers - 1);
  for (int worker = 1; worker < workers; ++worker) {
    try {
      threads.emplace_back([this, worker] { work(worker); });
    } catch (const std::system_error &) {
      break;
    }
  }
}

Team::~Team() {
  {
    std::lock_guard lock(sleepMutex);
    isEnding = true;
    epoch.fetch_add(1);
  }
  workArrived.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

bool Team::isAlive() const { return generation == forkGeneration(); }

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

bool Team::acquire(const RunControl &control) {
  if (threads.empty())
    return !control.isStopped();
  std::unique_lock lock(turnMutex);
  queue.push_back(&control);
  turnChanged.wait(lock, [&] {
    return control.isStopped() || (!isBusy && queue.front() == &control);
  });
  std::erase(queue, &control);
  if (control.isStopped()) {
    // Whoever was behind us may be first now.
    turnChanged.notify_all();
    return false;
  }
  isBusy = true;
  return true;
}

void Team::release() {
  if (threads.empty())
    return;
  std::lock_guard lock(turnMutex);
  isBusy = false;
  turnChanged.notify_all();
}

void Team::wakeWaiting() {
  std::lock_guard lock(turnMutex);
  turnChanged.notify_all();
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

void Team::run(Job newJob, void *newArgument) {
  if (threads.empty())
    return newJob(newArgument, 0);
  job = newJob;
  argument = newArgument;
  pending.store(static_cast<int>(threads.size()), std::memory_order_relaxed);
  // Raising the epoch before looking for sleepers, while they count themselves
  // before looking at the epoch: one of the two sees the other.
  epoch.fetch_add(1);
  if (sleepers.load() > 0) {
    std::lock_guard lock(sleepMutex);
    workArrived.notify_all();
  }
  newJob(newArgument, 0);
  awaitDone();
}

void Team::awaitDone() {
  for (unsigned i = 0; i < spins; ++i) {
    if (pending.load(std::memory_order_acquire) == 0)
      return;
    pauseCpu();
  }
  std::unique_lock lock(sleepMutex);
  isCallerAsleep.store(true);
  workDone.wait(lock, [&] { return pending.load() == 0; });
  isCallerAsleep.store(false);
}

void Team::awaitWork(uint64_t seen) {
  for (unsigned i = 0; i < spins; ++i) {
    if (epoch.load(std::memory_order_acquire) != seen)
      return;
    pauseCpu();
  }
  std::unique_lock lock(sleepMutex);
  sleepers.fetch_add(1);
  workArrived.wait(lock, [&] { return epoch.load() != seen; });
  sleepers.fetch_sub(1);
}

void Team::work(int worker) {
  for (uint64_t seen = 0;; ++seen) {
    awaitWork(seen);
    if (isEnding)
      return;
    job(argument, worker);
    // The last one wakes the caller if it sleeps; the same two-sided look as
    // in run().
    if (pending.fetch_sub(1) == 1 && isCallerAsleep.load()) {
      std::lock_guard lock(sleepMutex);
      workDone.notify_one();
    }
  }
}
