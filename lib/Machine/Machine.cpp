//===- Machine.cpp - what the cost model wants to know of a machine -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/Machine.h"

#include "lib/Machine/Ceilings.h"
#include "lib/Machine/Samples.h"

#include "runtime/cpu/CpuFeatures.h"
#include "runtime/cpu/WorkerCount.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <unistd.h>

using namespace ingot::machine;
namespace rt = ingot::rt;

/// Times that each ceiling is measured.
constexpr int rounds = 5;
/// Two CPUs that are threads of one core do as much as one of them.
constexpr double leastOfAll = 0.95;
/// Seconds: hundreds of cores meet within a few millionths.
constexpr double longestBarrier = 20e-6;

std::vector<CacheLevel> ingot::machine::cacheLevels() {
  std::vector<CacheLevel> levels;
  for (int index = 0; index < 8; ++index) {
    std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" +
                         std::to_string(index) + "/";
    std::ifstream size(folder + "size"), map(folder + "shared_cpu_map"),
        type(folder + "type");
    uint64_t kibibytes = 0;
    std::string kind;
    if (!(size >> kibibytes) || kibibytes == 0 ||
        (type >> kind && kind == "Instruction"))
      continue;
    int cpus = 0;
    for (char digit; map >> digit;)
      if (std::isxdigit(static_cast<unsigned char>(digit)))
        cpus += __builtin_popcount(
            unsigned(std::stoi(std::string(1, digit), nullptr, 16)));
    levels.push_back({kibibytes << 10, std::max(cpus, 1)});
  }
#ifdef _SC_LEVEL1_DCACHE_SIZE
  // Without sysfs glibc asks the CPU, which does not tell who shares it.
  if (levels.empty())
    for (int name :
         {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE})
      if (long bytes = sysconf(name); bytes > 0)
        levels.push_back({uint64_t(bytes), 1});
#endif
  std::ranges::sort(levels, {}, &CacheLevel::bytes);
  return levels;
}

std::string ingot::machine::cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "";
}

std::vector<std::string> ingot::machine::cpuFeatures() {
  std::vector<std::string> features;
  for (const char *feature :
       {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avxvnni",
        "avx512vnni", "avx512bf16", "avx512fp16"})
    if (rt::cpuHas(feature))
      features.emplace_back(feature);
  return features;
}

Identity Identity::here() {
  Identity identity{cpuName(), "", rt::availableWorkers()};
  for (const std::string &feature : cpuFeatures())
    identity.features += (identity.features.empty() ? "" : ",") + feature;
  return identity;
}

/// Measures with a team of some threads; `to` says which side of a rate.
static rt::Status measure(Machine &machine, int threads, double Rate::*to) {
  rt::Result<std::unique_ptr<Ceilings>> made = Ceilings::create(threads);
  if (!made.ok())
    return made.status();
  Ceilings &ceilings = **made;
  machine.barrier = 0;
  for (int round = 0; round < rounds; ++round) {
    ceilings.measure();
    for (size_t i = 0; i < machine.caches.size(); ++i) {
      const CacheLevel &cache = machine.caches[i];
      // Half of it, and a share for each thread: what else lies there, stays.
      auto sharing = uint64_t(std::min(threads, cache.cpus));
      double &rate = machine.cacheReads[i].*to;
      rate = std::max(rate, ceilings.readsWithin(cache.bytes / 2 / sharing));
    }
    double barrier = ceilings.barrierSeconds();
    if (round == 0 || barrier < machine.barrier)
      machine.barrier = barrier;
  }
  // The best counts: what disturbs only ever slows.
  auto best = [](const Ceiling &ceiling) {
    return summarize(ceiling.rates).most;
  };
  machine.floats.*to = best(ceilings.floats());
  machine.bytes.*to = best(ceilings.bytes());
  machine.memoryReads.*to = best(ceilings.reads());
  machine.clock = std::max(machine.clock, best(ceilings.clock()));
  return {};
}

rt::Result<Machine> ingot::machine::measure() {
  Machine machine;
  machine.identity = Identity::here();
  machine.caches = cacheLevels();
  machine.cacheReads.resize(machine.caches.size());
  if (rt::Status status = ::measure(machine, 1, &Rate::core); !status.ok())
    return status;
  if (rt::Status status =
          ::measure(machine, machine.identity.cores, &Rate::all);
      !status.ok())
    return status;
  return machine;
}

bool ingot::machine::wasDisturbed(const Machine &machine) {
  return machine.identity.cores > 1 &&
         (machine.floats.all < leastOfAll * machine.floats.core ||
          machine.barrier > longestBarrier);
}
