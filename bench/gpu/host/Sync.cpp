//===- Sync.cpp - what starting and waiting cost --------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Driver.h"
#include "Steps.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

using namespace gpu;

namespace {

/// So much shared memory that a multiprocessor has one block.
constexpr unsigned alone = 140 << 10;

unsigned processors() {
  return static_cast<unsigned>(property(Property::Multiprocessors));
}

/// Nanoseconds of a round, from launches with few and with many of them.
template <typename Run> double perRound(Buffer &counters, Run run) {
  constexpr uint32_t few = 100, many = 2100;
  auto clear = [&] { counters.set(0); };
  double less = seconds(9, [&] { run(few); }, clear);
  double more = seconds(9, [&] { run(many); }, clear);
  return (more - less) / (many - few) * 1e9;
}

double wallSeconds(const std::function<void()> &work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

} // namespace

void gpu::measureLaunches(const std::string &folder) {
  // The driver keeps what it compiled once, unless CUDA_CACHE_DISABLE is 1.
  for (auto [file, name] :
       {std::pair("sync.ptx", "fan"), {"matrix.ptx", "unpack4"}}) {
    std::string ptx = folder + "/" + file;
    double time = wallSeconds([&] { Kernel kernel(ptx, name); });
    std::printf("\n%s, %zu kB, was compiled and loaded in %.0f ms\n", file,
                std::filesystem::file_size(ptx) / 1000, time * 1e3);
  }
  Kernel empty(folder + "/sync.ptx", "empty");
  constexpr int many = 100;
  struct Way {
    const char *name;
    Shape shape;
  } ways[] = {{"1 block of 32", {1, 32}},
              {"a block of 288 a multiprocessor, 140 KiB each",
               {processors(), 288, alone}},
              {"the same, cooperative", {processors(), 288, alone, 1, true}},
              {"the same, clusters of 2", {processors(), 288, alone, 2}}};
  std::puts("\n| empty kernel | one after the other, µs | in a graph, µs | "
            "started and waited for, "
            "µs |\n|---|---|---|---|");
  for (const Way &way : ways) {
    auto work = [&] {
      for (int i = 0; i < many; ++i)
        empty(way.shape);
    };
    double stream = seconds(15, work) / many,
           graph = secondsAsGraph(15, work) / many;
    std::vector<double> waited;
    for (int i = 0; i < 201; ++i)
      waited.push_back(wallSeconds([&] {
        empty(way.shape);
        finish();
      }));
    std::sort(waited.begin(), waited.end());
    std::printf("| %s | %.2f | %.2f | %.2f |\n", way.name, stream * 1e6,
                graph * 1e6, waited[waited.size() / 2] * 1e6);
  }
}

void gpu::measureBarriers(const std::string &folder) {
  std::string ptx = folder + "/sync.ptx";
  Buffer counters(1 << 16), slots(1 << 16), errors(4);
  std::puts("\n| barrier of the grid | groups | threads a block | ns "
            "|\n|---|---|---|---|");
  auto measure = [&](const char *name, uint32_t groups, unsigned threads,
                     bool cooperative) {
    Kernel kernel(ptx, name);
    Shape shape = {processors(), threads, alone, 1, cooperative};
    auto run = [&](uint32_t rounds, uint64_t seen) {
      kernel(shape, counters.address(), rounds, groups, seen, errors.address());
    };
    counters.set(0), slots.set(~0u), errors.set(0);
    run(1000, slots.address());
    if (uint32_t round = errors.all<uint32_t>()[0])
      fail(std::string(name) + ": a neighbour's write was not seen in round " +
           std::to_string(round));
    double time = perRound(counters, [&](uint32_t rounds) { run(rounds, 0); });
    std::printf("| %s%s | %u | %u | %.0f |\n", name,
                cooperative ? ", cooperative" : "", groups, threads, time);
  };
  for (const char *name : {"barrierOne", "barrierOneRelaxed",
                           "barrierOneSleeping", "barrierFlag", "barrierWords"})
    measure(name, 1, 256, false);
  for (uint32_t groups : {4, 12, 33})
    measure("barrierGroups", groups, 256, false);
  for (uint32_t groups : {2, 4, 8, 16, 32})
    measure("barrierSpread", groups, 256, false);
  measure("barrierOne", 1, 256, true);
  measure("barrierOne", 1, 32, false);

  std::puts("\n| cluster | run at once | its barrier, ns | the grid's by one "
            "of each, ns |\n|---|---|---|---|");
  Kernel cluster(ptx, "clusterBarrier"), grid(ptx, "clusterGrid");
  for (unsigned size : {2u, 4u, 8u, 16u}) {
    int active = grid.activeClusters({size, 256, alone, size});
    if (active < 1)
      continue;
    Shape shape = {static_cast<unsigned>(active) * size, 256, alone, size};
    double alike =
        perRound(counters, [&](uint32_t rounds) { cluster(shape, rounds); });
    double whole = perRound(counters, [&](uint32_t rounds) {
      grid(shape, counters.address(), rounds, uint32_t{size});
    });
    std::printf("| %u | %d | %.0f | %.0f |\n", size, active, alike, whole);
  }
}

void gpu::measureLoadedBarriers(const std::string &folder) {
  Kernel kernel(folder + "/sync.ptx", "barrierUnderLoad");
  constexpr size_t bytes = size_t{2} << 30;
  Buffer counters(1 << 16), words(bytes), values(1 << 14), moved(4);
  words.set(0x3f803f80), values.set(0);
  std::puts("\n| blocks that load | under way in each | barrier ns | GB/s "
            "meanwhile | with 16 KiB "
            "read, ns | GB/s |\n|---|---|---|---|---|---|");
  constexpr unsigned chunk = 8 << 10;
  auto measure = [&](uint32_t loaders, uint32_t slots) {
    double times[2], rates[2];
    for (bool reads : {false, true}) {
      auto run = [&](uint32_t rounds) {
        // At least so much that a multiprocessor has one block.
        kernel({processors(), 288, std::max(alone, slots * (chunk + 8) + 16)},
               counters.address(), rounds, words.address(), uint32_t{chunk},
               slots, static_cast<uint32_t>(bytes / chunk / processors()),
               reads ? values.address() : uint64_t{0}, moved.address(),
               loaders);
      };
      times[reads] = perRound(counters, run);
      double time = seconds(
          1, [&] { moved.set(0), run(2000); }, [&] { counters.set(0); });
      rates[reads] = double(moved.all<uint32_t>()[0]) * chunk / time;
    }
    std::printf("| %u | %u KiB | %.0f | %.0f | %.0f | %.0f |\n", loaders,
                slots * chunk >> 10, times[0], rates[0] * 1e-9, times[1],
                rates[1] * 1e-9);
  };
  for (uint32_t slots : {0, 2, 3, 4, 5, 6, 8, 12, 16, 24})
    measure(processors(), slots);
  for (uint32_t loaders : {1u, processors() / 4, processors() / 2})
    for (uint32_t slots : {4, 16})
      measure(loaders, slots);
}

void gpu::measureHandOvers(const std::string &folder) {
  std::string ptx = folder + "/sync.ptx";
  Buffer counters(1 << 16), data(1 << 18), errors(4), places(4096);
  Shape shape = {processors(), 256, alone};
  std::puts("\n| from a block to another | least ns | median | most "
            "|\n|---|---|---|---|");
  for (const char *name : {"handOver", "handOverRelaxed"})
    for (uint32_t words : {0u, 4u}) {
      Kernel kernel(ptx, name);
      std::vector<double> times;
      for (uint32_t partner = 1; partner < processors(); partner += 5) {
        auto run = [&](uint32_t rounds) {
          kernel(shape, counters.address(), rounds, partner, words,
                 data.address(), errors.address(), places.address());
        };
        counters.set(0), errors.set(0);
        run(1000);
        if (uint32_t round = errors.all<uint32_t>()[0])
          fail(std::string(name) + ": wrong words in round " +
               std::to_string(round));
        times.push_back(perRound(counters, run) / 2);
      }
      std::sort(times.begin(), times.end());
      std::printf("| %s, %s | %.0f | %.0f | %.0f |\n", name,
                  words ? "4 KiB with it" : "alone", times.front(),
                  times[times.size() / 2], times.back());
    }
  std::puts("\n| blocks that are told, and answer | ns |\n|---|---|");
  Kernel fan(ptx, "fan");
  for (uint32_t readers : {1u, 2u, 4u, 8u, 16u, 32u, 64u, processors() - 1})
    std::printf("| %u | %.0f |\n", readers,
                perRound(counters, [&](uint32_t rounds) {
                  fan(shape, counters.address(), rounds, readers);
                }));
}
