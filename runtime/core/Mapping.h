//===- Mapping.h - memory from mmap, owned -*- C++ -*- --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// RAII over mmap: files read-only, or anonymous memory. Failure is a Status,
// also for want of memory, which makes it fit for large arenas.
#ifndef INGOT_RUNTIME_CORE_MAPPING_H
#define INGOT_RUNTIME_CORE_MAPPING_H

#include "runtime/core/Status.h"

#include <cstddef>
#include <span>

namespace ingot::rt {

/// An owned range of mapped pages. Empty if default-constructed.
class Mapping {
public:
  Mapping() = default;
  Mapping(Mapping &&other) noexcept { swap(other); }
  Mapping &operator=(Mapping &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Mapping();

  /// Maps a whole regular file, private and read-only. An empty file gives an
  /// empty mapping.
  static Result<Mapping> readFile(const std::string &path);

  /// Maps zeroed, private, writable memory; zero bytes give an empty mapping.
  static Result<Mapping> allocate(size_t bytes);

  /// Asks the system for large pages; what is read or written all over is then
  /// found with fewer page faults and TLB misses. Advice only.
  void preferLargePages() const;

  /// Lets all pages be there before the first is read, in one go instead of
  /// fault by fault. Advice only; reads what of a file is not in memory yet.
  void populate() const;

  unsigned char *data() const { return start; }
  size_t size() const { return length; }
  std::span<const unsigned char> bytes() const { return {start, length}; }

private:
  Mapping(void *start, size_t length)
      : start(static_cast<unsigned char *>(start)), length(length) {}
  void swap(Mapping &other) noexcept {
    std::swap(start, other.start);
    std::swap(length, other.length);
  }

  unsigned char *start = nullptr;
  size_t length = 0;
};

/// What errno says now, as text.
std::string systemError();

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_MAPPING_H
