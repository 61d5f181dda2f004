//===- Ceilings.cpp - what this machine can do at most --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/Ceilings.h"

#include "lib/Machine/Machine.h"
#include "lib/Machine/Samples.h"

#include "runtime/cpu/Pause.h"
#include "runtime/cpu/RunControl.h"
#include "runtime/cpu/Team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

using namespace ingot::machine;
namespace rt = ingot::rt;

/// How often each rate is measured in a row (the median counts), and how long
/// one measurement of arithmetic takes.
constexpr int repetitions = 3;
constexpr double sampleSeconds = 0.002;
/// Pauses in a barrier before others may have the CPU.
constexpr int patience = 2000;
/// A line of the job's result for each thread.
constexpr size_t line = 64 / sizeof(uint64_t);

/// More than the caches of all threads hold, a fourth of what is free at most.
static size_t bufferSize(int threads) {
  constexpr size_t least = size_t(256) << 20;
  size_t wanted = least;
  if (std::vector<CacheLevel> levels = cacheLevels(); !levels.empty()) {
    const CacheLevel &last = levels.back();
    size_t caches = size_t((threads + last.cpus - 1) / last.cpus);
    wanted = std::max(wanted, 4 * size_t(last.bytes) * caches);
  }
  long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0)
    wanted = std::min(
        wanted, std::max(size_t(pages) * size_t(page) / 4, size_t(64) << 20));
  return wanted;
}

rt::Result<std::unique_ptr<Ceilings>> Ceilings::create(int threads) {
  std::unique_ptr<Ceilings> ceilings(new Ceilings(threads));
  if (rt::Status status = ceilings->takeMemory(); !status.ok())
    return status;
  return ceilings;
}

Ceilings::Ceilings(int threads) : team(rt::Team::shared(threads)) {
  results.resize(size_t(team->workers()) * line);
}

rt::Status Ceilings::takeMemory() {
  size_t size = bufferSize(team->workers());
  void *mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return rt::failure(rt::Code::OutOfMemory,
                       "no memory to measure how fast it is read: ", size >> 20,
                       " MiB are needed");
  memory.reset(mapped, [size](void *address) { munmap(address, size); });
  // A wish: without large pages reading is a little slower.
  (void)madvise(mapped, size, MADV_HUGEPAGE);
  data = {static_cast<uint64_t *>(mapped), size / sizeof(uint64_t)};
  // Whoever reads a page touches it first, and it lies with that CPU.
  onAll([&](int thread) {
    std::ranges::fill(part(thread), uint64_t(thread) + 1);
  });
  chooseReader();
  return {};
}

void Ceilings::chooseReader() {
  // Short parts, since what disturbs a long read says nothing of the kernel;
  // never the same part twice in a row, which may be in a cache.
  constexpr size_t parts = 8, rounds = 8;
  std::span<const ReadKernel> kernels = readKernels();
  double best = 0;
  for (size_t i = 0; i < rounds * kernels.size(); ++i) {
    const ReadKernel &kernel = kernels[i % kernels.size()];
    double rate = readRate(kernel, (i + i / kernels.size()) % parts, parts);
    if (rate <= best)
      continue;
    best = rate;
    fastest = &kernel;
  }
}

double Ceilings::readRate(const ReadKernel &kernel, size_t index,
                          size_t parts) {
  auto wordsOf = [&](int thread) {
    std::span<uint64_t> all = part(thread);
    size_t length = all.size() / parts / readGranule * readGranule;
    return all.subspan(index * length, length);
  };
  double seconds = onAll([&](int thread) {
    std::span<uint64_t> words = wordsOf(thread);
    results[size_t(thread) * line] += kernel.run(words.data(), words.size());
  });
  size_t bytes = 0;
  for (int thread = 0; thread < team->workers(); ++thread)
    bytes += wordsOf(thread).size_bytes();
  return double(bytes) / seconds;
}

int Ceilings::threads() const { return team->workers(); }

std::span<uint64_t> Ceilings::part(int thread) const {
  // Whole pages, so that vectors and threads never share one.
  constexpr size_t page = (size_t(2) << 20) / sizeof(uint64_t);
  size_t count = size_t(team->workers()), pages = data.size() / page;
  size_t first = pages * size_t(thread) / count;
  size_t last = pages * (size_t(thread) + 1) / count;
  return data.subspan(first * page, (last - first) * page);
}

double Ceilings::onAll(const std::function<void(int)> &job) {
  int32_t errorWord = 0;
  rt::RunControl control(&errorWord, team.get(), {}, nullptr);
  rt::TeamLease lease(*team, control);
  auto call = [](void *argument, int worker) {
    (*static_cast<const std::function<void(int)> *>(argument))(worker);
  };
  auto start = rt::Clock::now();
  team->run(call, const_cast<std::function<void(int)> *>(&job));
  return std::chrono::duration<double>(rt::Clock::now() - start).count();
}

double Ceilings::rate(uint64_t &steps, uint64_t (*kernel)(uint64_t)) {
  std::vector<double> rates;
  while (rates.size() < repetitions) {
    double seconds = onAll(
        [&](int thread) { results[size_t(thread) * line] += kernel(steps); });
    if (seconds < sampleSeconds / 2) {
      steps *= 2;
      continue;
    }
    rates.push_back(double(steps) * team->workers() / seconds);
  }
  return median(rates);
}

void Ceilings::measure() {
  // Threads that slept are woken first.
  onAll([](int) {});
  if (const ClockKernel *kernel = clockKernel())
    clockRates.rates.push_back(rate(clockSteps, kernel->run) *
                               double(kernel->cycles) / team->workers());
  const ComputeKernel &floats = floatKernel();
  floatRates.rates.push_back(rate(floatSteps, floats.run) *
                             floats.operations(1));
  if (const ComputeKernel *kernel = byteKernel())
    byteRates.rates.push_back(rate(byteSteps, kernel->run) *
                              kernel->operations(1));

  std::vector<double> reads(repetitions);
  for (double &rate : reads)
    rate = readRate(*fastest, 0, 1);
  readRates.rates.push_back(median(std::move(reads)));
}

double Ceilings::readsWithin(size_t bytes) {
  size_t words = std::min(bytes / sizeof(uint64_t), part(0).size());
  words = std::max(words / readGranule, size_t(1)) * readGranule;
  uint64_t times = 1;
  std::vector<double> rates;
  while (rates.size() < repetitions) {
    double seconds = onAll([&](int thread) {
      const uint64_t *own = part(thread).data();
      uint64_t sum = 0;
      for (uint64_t time = 0; time < times; ++time)
        sum += fastest->run(own, words);
      results[size_t(thread) * line] += sum;
    });
    if (seconds < sampleSeconds / 2) {
      times *= 2;
      continue;
    }
    rates.push_back(double(times) * double(words * sizeof(uint64_t)) *
                    team->workers() / seconds);
  }
  return median(rates);
}

double Ceilings::barrierSeconds() {
  // Few to begin with: where others have the CPUs each takes a time slice.
  int64_t meetings = 32, workers = team->workers();
  std::vector<double> all;
  while (all.size() < repetitions) {
    alignas(64) std::atomic<int64_t> arrived{0};
    double seconds = onAll([&](int) {
      for (int64_t meeting = 1; meeting <= meetings; ++meeting) {
        arrived.fetch_add(1, std::memory_order_acq_rel);
        for (int spins = 0;
             arrived.load(std::memory_order_acquire) < meeting * workers;)
          if (++spins > patience)
            std::this_thread::yield();
          else
            rt::pauseCpu();
      }
    });
    if (seconds < sampleSeconds / 2) {
      meetings *= 2;
      continue;
    }
    all.push_back(seconds / double(meetings));
  }
  return median(std::move(all));
}

double Ceilings::perCycle(const ComputeKernel &kernel,
                          const Ceiling &rates) const {
  // The best of both: what disturbs only ever slows.
  double cycles = summarize(clockRates.rates).most * team->workers();
  double operations = 2 * double(kernel.lanes);
  return cycles > 0 ? summarize(rates.rates).most / operations / cycles : 0;
}
