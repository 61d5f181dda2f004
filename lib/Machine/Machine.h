//===- Machine.h - what the cost model wants to know of a machine ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A machine is its CPU and what was measured of it by the ceiling programs.
// Measuring takes about a second, so that the result is kept in a file of the
// user's cache, one for each machine; whoever lacks the file, or finds it
// damaged, measures anew.
#ifndef INGOT_MACHINE_MACHINE_H
#define INGOT_MACHINE_MACHINE_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::machine {

/// A cache that the first CPU reads data through.
struct CacheLevel {
  uint64_t bytes = 0;
  /// How many CPUs share it.
  int cpus = 1;

  bool operator==(const CacheLevel &) const = default;
};

/// From the nearest to the last, as the system tells; empty where it does not.
std::vector<CacheLevel> cacheLevels();

/// The CPU's own name; empty where the system does not tell.
std::string cpuName();

/// Those of the CPU's features that kernels ask for.
std::vector<std::string> cpuFeatures();

/// What tells machines apart: CPU, its features, the CPUs that the process may
/// use.
struct Identity {
  std::string cpu, features;
  int cores = 1;

  static Identity here();
  bool operator==(const Identity &) const = default;
};

/// A rate of one core, and of all of them together.
struct Rate {
  double core = 0, all = 0;

  bool operator==(const Rate &) const = default;
};

struct Machine {
  Identity identity;
  std::vector<CacheLevel> caches;
  /// Bytes read per second: from each of the caches, and from memory.
  std::vector<Rate> cacheReads;
  Rate memoryReads;
  /// Operations per second, a product and a sum being two: of f32, and of bytes
  /// (zero where the CPU has no instruction for them).
  Rate floats, bytes;
  /// Cycles per second; zero where they cannot be counted.
  double clock = 0;
  /// Seconds that it takes all cores to meet.
  double barrier = 0;

  bool operator==(const Machine &) const = default;
};

/// Measures this machine. Fails if there is no memory to read.
rt::Result<Machine> measure();

/// Whether something else seems to have had the CPUs meanwhile: together they
/// did less than one, or took longer to meet than any CPU needs.
bool wasDisturbed(const Machine &machine);

/// The machine as lines of text, and back. Text that is not whole, not of this
/// form or not a machine at all gives nothing.
std::string toText(const Machine &machine);
std::optional<Machine> fromText(std::string_view text);

/// Where the parameters of a machine are kept; empty where the user has no
/// cache folder.
std::filesystem::path fileOf(const Identity &identity);

/// What was kept of a machine; nothing if there is no file, or it is damaged or
/// of another version.
std::optional<Machine> stored(const Identity &identity);

/// This machine: as it was kept, or measured (again, if `anew`) and kept where
/// something can be written.
rt::Result<Machine> known(bool anew = false,
                          rt::Result<Machine> (*measurer)() = measure);

} // namespace ingot::machine

#endif // INGOT_MACHINE_MACHINE_H
