//===- ElfImage.h - loads a compiled image -*- C++ -*- --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A small ELF loader for the images that our compiler links: x86-64 shared
// objects that need nothing from anybody. Everything else is refused, with the
// reason. No page is ever writable and executable at once.
#ifndef INGOT_RUNTIME_CORE_ELFIMAGE_H
#define INGOT_RUNTIME_CORE_ELFIMAGE_H

#include "runtime/core/Mapping.h"

#include <cstdint>
#include <span>
#include <vector>

namespace ingot::rt {

/// An image in memory, relocated and protected.
class ElfImage {
public:
  /// Copies the segments of `file` to fresh memory, relocates and protects
  /// them. `file` may hold anything and is not needed afterwards.
  static Result<ElfImage> load(std::span<const unsigned char> file);

  /// The address of an exported function.
  Result<void *> function(std::string_view name) const;

private:
  /// A PT_LOAD or PT_GNU_RELRO range of addresses relative to the image.
  struct Range {
    uint64_t start, size;
    int protection;
    bool contains(uint64_t address, uint64_t bytes) const {
      return address >= start && address - start <= size &&
             bytes <= size - (address - start);
    }
  };
  struct Function {
    std::string name;
    uint64_t address;
  };
  /// What the dynamic section says; 0 for what it does not say.
  struct Dynamic {
    uint64_t symbols = 0, strings = 0, stringBytes = 0;
    uint64_t relocations = 0, relocationBytes = 0;
    uint64_t hash = 0, gnuHash = 0;
    int64_t unsupported = 0;
  };

  Status loadSegments(std::span<const unsigned char> file);
  Status readDynamic(Range section, Dynamic &dynamic);
  Status relocate(const Dynamic &dynamic);
  Status countSymbols(const Dynamic &dynamic, uint64_t &count) const;
  Status readSymbols(const Dynamic &dynamic);
  Status protect();

  /// Reads a T at an address relative to the image, if it lies inside.
  template <typename T> bool read(uint64_t address, T &out) const;
  bool isInside(uint64_t address, uint64_t bytes) const {
    return address <= memory.size() && bytes <= memory.size() - address;
  }

  Mapping memory;
  std::vector<Range> segments;
  std::vector<Range> readOnlyAfterRelocation;
  Range dynamicSection{0, 0, 0};
  std::vector<Function> functions;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_ELFIMAGE_H
