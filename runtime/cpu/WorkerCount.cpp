//===- WorkerCount.cpp - how many workers this process may run ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/cpu/WorkerCount.h"

#include <algorithm>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <thread>
#include <vector>

using namespace ingot::rt;

/// The whole of a small file; empty if it cannot be read.
static std::string readText(const std::string &path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  return stream ? text.str() : std::string();
}

/// CPUs from a quota and a period in microseconds; 0 for no limit.
static double cpusOf(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : 0;
}

/// The limit of one group of version 2: "QUOTA PERIOD" or "max PERIOD".
static double limitOfV2(const std::string &folder) {
  std::istringstream text(readText(folder + "/cpu.max"));
  double quota = 0, period = 0;
  if (!(text >> quota >> period))
    return 0;
  return cpusOf(quota, period);
}

/// The limit of one group of version 1: two files, quota -1 for none.
static double limitOfV1(const std::string &folder) {
  double quota = 0, period = 0;
  std::istringstream quotaText(readText(folder + "/cpu.cfs_quota_us"));
  std::istringstream periodText(readText(folder + "/cpu.cfs_period_us"));
  if (!(quotaText >> quota) || !(periodText >> period))
    return 0;
  return cpusOf(quota, period);
}

/// The smallest limit of the group `path` and its parents below `mount`. In a
/// container the path may be the host's, and only the mount itself be there.
static double smallestLimit(const std::string &mount, std::string path,
                            double (*limitOf)(const std::string &)) {
  double smallest = 0;
  while (true) {
    double limit = limitOf(mount + path);
    if (limit > 0 && (smallest == 0 || limit < smallest))
      smallest = limit;
    size_t slash = path.rfind('/');
    if (slash == std::string::npos || path.empty())
      return smallest;
    path.resize(slash);
  }
}

double ingot::rt::cgroupCpuLimit(const std::string &membership,
                                 const std::string &root) {
  double smallest = 0;
  auto consider = [&](double limit) {
    if (limit > 0 && (smallest == 0 || limit < smallest))
      smallest = limit;
  };
  // Lines of the form "ID:CONTROLLER,...:PATH"; version 2 has no controllers.
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    size_t first = line.find(':');
    size_t second = line.find(':', first == std::string::npos ? 0 : first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/")
      path.clear();
    if (controllers.empty()) {
      consider(smallestLimit(root, path, limitOfV2));
      consider(smallestLimit(root + "/unified", path, limitOfV2));
    } else if (std::string(",").append(controllers).append(",").find(",cpu,") !=
               std::string::npos) {
      consider(smallestLimit(root + "/cpu", path, limitOfV1));
      std::string named = root + "/";
      named += controllers;
      consider(smallestLimit(named, path, limitOfV1));
    }
  }
  return smallest;
}

/// CPUs in the calling thread's affinity mask.
static int affinityCount() {
  // The kernel refuses masks smaller than its own: ask for more until it fits.
  for (size_t words = 16; words <= 4096; words *= 4) {
    std::vector<unsigned long> mask(words);
    if (sched_getaffinity(0, words * sizeof(unsigned long),
                          reinterpret_cast<cpu_set_t *>(mask.data())) == 0) {
      int count = 0;
      for (unsigned long word : mask)
        count += __builtin_popcountl(word);
      return count;
    }
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

int ingot::rt::availableWorkers() {
  int count = affinityCount();
  double limit =
      cgroupCpuLimit(readText("/proc/self/cgroup"), "/sys/fs/cgroup");
  // Rounded down: a worker that the quota stops would hold up all the others.
  if (limit > 0)
    count = static_cast<int>(std::min<double>(count, limit));
  return std::max(count, 1);
}
