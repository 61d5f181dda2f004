//===- CacheFolder.h - where what can be made again is kept ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_MACHINE_CACHEFOLDER_H
#define INGOT_MACHINE_CACHEFOLDER_H

#include <filesystem>
#include <string_view>

namespace ingot::machine {

/// The user's folder for what Ingot can make again ($XDG_CACHE_HOME/ingot or
/// ~/.cache/ingot), or the one named `inner` in it, whether it is there or not;
/// empty where the user has none.
std::filesystem::path cacheFolder(std::string_view inner = {});

/// The same, made if need be; empty where nothing can be written.
std::filesystem::path writableCacheFolder(std::string_view inner = {});

} // namespace ingot::machine

#endif // INGOT_MACHINE_CACHEFOLDER_H
