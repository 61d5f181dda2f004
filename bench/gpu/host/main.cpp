//===- main.cpp - measurements on a GPU -----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//   gpu-bench FOLDER STEP
//
// FOLDER holds the PTX that emit.py wrote; STEP is memory, launches, barriers,
// loaded-barriers, hand-overs, matrices or the name of a file `layers-...` in
// FOLDER. Each step is a run of its own: after a kernel that failed the driver
// does no more.
#include "Driver.h"
#include "Steps.h"

#include <cstdio>

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: gpu-bench FOLDER STEP\n");
    return 2;
  }
  std::string folder = argv[1], step = argv[2];
  struct {
    const char *name;
    void (*measure)(const std::string &);
  } steps[] = {{"memory", gpu::measureMemory},
               {"launches", gpu::measureLaunches},
               {"barriers", gpu::measureBarriers},
               {"loaded-barriers", gpu::measureLoadedBarriers},
               {"hand-overs", gpu::measureHandOvers},
               {"matrices", gpu::measureMatrices}};
  for (auto [name, measure] : steps)
    if (step == name) {
      gpu::open();
      measure(folder);
      return 0;
    }
  if (!step.starts_with("layers-"))
    gpu::fail(step + ": no such step");
  gpu::open();
  gpu::measureLayers(folder, step);
}
