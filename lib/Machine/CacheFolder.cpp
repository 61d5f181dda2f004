//===- CacheFolder.cpp - where what can be made again is kept -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/CacheFolder.h"

#include <cstdlib>
#include <unistd.h>

namespace fs = std::filesystem;

fs::path ingot::machine::cacheFolder(std::string_view inner) {
  fs::path base;
  const char *xdg = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (xdg && fs::path(xdg).is_absolute())
    base = xdg;
  else if (home && *home)
    base = fs::path(home) / ".cache";
  else
    return {};
  fs::path folder = base / "ingot";
  return inner.empty() ? folder : folder / inner;
}

fs::path ingot::machine::writableCacheFolder(std::string_view inner) {
  fs::path folder = cacheFolder(inner);
  if (folder.empty())
    return {};
  std::error_code failed;
  fs::create_directories(folder, failed);
  return failed || access(folder.c_str(), W_OK) != 0 ? fs::path() : folder;
}
