//===- Ceilings.h - what this machine can do at most ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_MACHINE_CEILINGS_H
#define INGOT_MACHINE_CEILINGS_H

#include "lib/Machine/CeilingKernels.h"

#include "runtime/core/Status.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace ingot::rt {
class Team;
} // namespace ingot::rt

namespace ingot::machine {

/// A rate that was measured again and again.
struct Ceiling {
  /// Operations, bytes or cycles of a thread, per second; one for each call of
  /// Ceilings::measure.
  std::vector<double> rates;
};

/// Measures arithmetic, reading and the clock on the threads that sessions of
/// that number of threads run on.
class Ceilings {
public:
  /// Takes memory to read that no cache holds, and finds out in how many
  /// streams it is read fastest. Fails if there is no memory.
  static rt::Result<std::unique_ptr<Ceilings>> create(int threads);

  /// Takes a few hundredths of a second. Leaves nothing of others in the
  /// caches.
  void measure();

  /// Bytes per second, all threads together, where each thread reads the same
  /// `bytes` again and again: what a cache that holds them delivers.
  double readsWithin(size_t bytes);

  /// Seconds that all threads take to meet once, as programs do (Abi.h).
  double barrierSeconds();

  int threads() const;
  /// Products and sums of f32, two each.
  const Ceiling &floats() const { return floatRates; }
  /// The same of bytes; no rates where the CPU has no instruction for them.
  const Ceiling &bytes() const { return byteRates; }
  /// Bytes read, all threads together.
  const Ceiling &reads() const { return readRates; }
  /// Cycles of one thread; no rates where they cannot be counted.
  const Ceiling &clock() const { return clockRates; }

  /// What measures the reads.
  const ReadKernel &reader() const { return *fastest; }
  size_t bufferBytes() const { return data.size_bytes(); }

  /// Instructions a cycle and thread at which a kernel of `rates` runs; zero if
  /// the clock is not known.
  double perCycle(const ComputeKernel &kernel, const Ceiling &rates) const;

private:
  explicit Ceilings(int threads);
  rt::Status takeMemory();

  /// Runs a job once on each thread; the seconds until all have done it.
  double onAll(const std::function<void(int thread)> &job);
  /// The rate of `work` steps, which are adjusted to take a few milliseconds.
  double rate(uint64_t &steps, uint64_t (*kernel)(uint64_t));
  /// Bytes per second of reading one of `parts` of what each thread has.
  double readRate(const ReadKernel &kernel, size_t index, size_t parts);
  void chooseReader();
  /// What a thread reads.
  std::span<uint64_t> part(int thread) const;

  std::shared_ptr<rt::Team> team;
  std::shared_ptr<void> memory;
  std::span<uint64_t> data;
  const ReadKernel *fastest = nullptr;
  Ceiling floatRates, byteRates, readRates, clockRates;
  uint64_t floatSteps = 1024, byteSteps = 1024, clockSteps = 1024;
  /// What kernels return goes there, so that it is wanted.
  std::vector<uint64_t> results;
};

} // namespace ingot::machine

#endif // INGOT_MACHINE_CEILINGS_H
