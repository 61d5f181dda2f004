//===- WorkerCount.h - how many workers this process may run -*- C++ -*- --===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The number of workers follows what the process may really use: its CPU
// affinity and the quota of its control groups (both versions).
#ifndef INGOT_RUNTIME_CPU_WORKERCOUNT_H
#define INGOT_RUNTIME_CPU_WORKERCOUNT_H

#include <string>

namespace ingot::rt {

/// CPUs that the process may run on, at most the whole CPUs of its cgroup's
/// quota, at least 1.
int availableWorkers();

/// The smallest CPU quota of a control group and its parents, in CPUs; 0 if
/// there is no limit. `membership` is the content of /proc/self/cgroup, `root`
/// where control groups are mounted.
double cgroupCpuLimit(const std::string &membership, const std::string &root);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_WORKERCOUNT_H
