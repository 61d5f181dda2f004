//===- Patience.h - how a worker waits in a barrier -*- C++ -*- -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Who waits for a moment spins; who waits longer lets others have the CPU; who
// waits very long sleeps. With more workers than CPUs nobody spins: the one who
// is waited for may need the very CPU.
#ifndef INGOT_RUNTIME_CPU_PATIENCE_H
#define INGOT_RUNTIME_CPU_PATIENCE_H

#include <chrono>
#include <cstdint>

namespace ingot::rt {

/// One worker's patience.
class Patience {
public:
  enum class Step { Spin, Yield, Sleep };

  /// `isCrowded` says that there are more workers than CPUs.
  explicit Patience(bool isCrowded) : isCrowded(isCrowded) {}

  /// What to do when the worker looked again and found `arrivals` in the
  /// barrier: something new lets it begin with patience anew. So does work that
  /// it has done since, as between tiles that wait for others.
  Step next(int64_t arrivals, bool hasWorked = false);

  /// Does it. Whoever does not come back at once has worked.
  void wait(int64_t arrivals);

private:
  using Clock = std::chrono::steady_clock;

  bool isCrowded;
  Clock::time_point left;
  int64_t seen = -1;
  unsigned looks = 0;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_PATIENCE_H
