//===- Progress.cpp - what a user sees of work that takes long ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Progress.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

using namespace ingot::cli;

Progress::Progress(std::string title)
    : title(std::move(title)), terminal(isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (drawn && terminal)
    std::fputs("\r\033[K", stderr);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void Progress::update(const std::string &phase, double fraction) {
  auto interval = terminal && drawn ? std::chrono::milliseconds(50)
                                    : std::chrono::milliseconds(1000);
  Clock::time_point now = Clock::now();
  if (now - shown < interval)
    return;
  shown = now;
  drawn = true;
  int percent = int(100 * std::clamp(fraction, 0.0, 1.0));
  if (!terminal) {
    std::fprintf(stderr, "%s: %3d%% %s (%.0f s)\n", title.c_str(), percent,
                 phase.c_str(), seconds());
    return;
  }
  constexpr int width = 30;
  std::string bar(size_t(percent * width / 100), '#');
  bar.resize(width, '.');
  std::fprintf(stderr, "\r%s [%s] %3d%% %.40s\033[K", title.c_str(),
               bar.c_str(), percent, phase.c_str());
  std::fflush(stderr);
}
