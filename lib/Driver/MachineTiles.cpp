//===- MachineTiles.cpp - the machine that tiles are chosen for -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/MachineTiles.h"

#include <algorithm>

using namespace ingot;
using machine::CacheLevel;
using machine::Identity;
using machine::Machine;

/// Of all levels behind the nearest one, the first and the last.
static void setCaches(TileMachine &machine,
                      const std::vector<CacheLevel> &levels) {
  if (levels.size() < 2)
    return;
  machine.ownCache = int64_t(levels[1].bytes);
  machine.lastCache = int64_t(levels.back().bytes);
}

TileMachine ingot::tileMachineOf(const Machine &measured) {
  TileMachine machine;
  setCaches(machine, measured.caches);
  machine.workers = std::max(measured.identity.cores, 1);
  // A rate of zero was not measured: the default stays.
  auto set = [](double &rate, double value) {
    if (value > 0)
      rate = value;
  };
  double workers = double(machine.workers);
  set(machine.flops, measured.floats.core);
  if (measured.cacheReads.size() >= 2) {
    set(machine.ownReads, measured.cacheReads[1].core);
    set(machine.lastReads, measured.cacheReads.back().all / workers);
  }
  set(machine.memoryReads, measured.memoryReads.all / workers);
  return machine;
}

TileMachine ingot::tileMachineFor(bool isNative, bool &wasMeasured) {
  wasMeasured = false;
  TileMachine machine;
  if (!isNative)
    return machine;
  if (std::optional<Machine> kept = machine::stored(Identity::here())) {
    wasMeasured = true;
    return tileMachineOf(*kept);
  }
  setCaches(machine, machine::cacheLevels());
  machine.workers = std::max(Identity::here().cores, 1);
  return machine;
}
