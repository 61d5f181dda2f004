//===- Rounds.cpp - the model and the machine, taking turns ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/bench/Rounds.h"

#include "tools/ingot/bench/Interrupt.h"

#include <chrono>

using namespace ingot::cli;
using namespace ingot::machine;

/// Rounds are short enough that clock and neighbours are the same for both
/// sides, and long enough that the ceilings take little of them.
constexpr double roundSeconds = 0.2;
constexpr size_t leastRounds = 3;
/// A run that takes longer does not notice that it begins with cold caches.
constexpr double warmSeconds = 0.1;
/// Memory of measurements stays small however short a run is.
constexpr size_t mostRuns = 2000;

namespace {
class Stopwatch {
public:
  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
};
} // namespace

/// Runs the subject for a round and appends its times.
static void playRound(Subject &subject, std::vector<Times> &times,
                      double &lastSeconds) {
  for (Times &work : times)
    work.emplace_back();
  if (lastSeconds < warmSeconds)
    (void)subject.once();
  Stopwatch round;
  do {
    Interrupt::check();
    Stopwatch run;
    std::vector<std::vector<double>> seconds = subject.once();
    lastSeconds = run.seconds();
    for (size_t i = 0; i < times.size(); ++i)
      times[i].back().insert(times[i].back().end(), seconds[i].begin(),
                             seconds[i].end());
  } while (round.seconds() < roundSeconds &&
           times.front().back().size() < mostRuns);
}

Rounds::Rounds(Ceilings &ceilings, Subject *subject, double seconds) {
  double lastSeconds = 0;
  if (subject) {
    allTimes.resize(subject->works().size());
    // The first run of all takes memory and touches it.
    Stopwatch first;
    (void)subject->once();
    lastSeconds = first.seconds();
  }
  Stopwatch all;
  ceilings.measure();
  for (size_t round = 0; round < leastRounds || all.seconds() < seconds;
       ++round) {
    Interrupt::check();
    if (subject)
      playRound(*subject, allTimes, lastSeconds);
    ceilings.measure();
  }
}

Summary Rounds::summary(size_t index) const {
  std::vector<double> all;
  for (const std::vector<double> &round : allTimes[index])
    all.insert(all.end(), round.begin(), round.end());
  return summarize(std::move(all));
}

double Rounds::share(size_t index, double amount,
                     const Ceiling &ceiling) const {
  std::vector<double> shares;
  for (size_t round = 0; round < allTimes[index].size(); ++round) {
    double around = (ceiling.rates[round] + ceiling.rates[round + 1]) / 2;
    double seconds = median(allTimes[index][round]);
    if (around > 0 && seconds > 0)
      shares.push_back(amount / seconds / around);
  }
  return median(std::move(shares));
}
