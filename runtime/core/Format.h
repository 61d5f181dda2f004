//===- Format.h - the fixed header of an artifact file -*- C++ -*- --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// An artifact file is this header, then three sections: weights (aligned to
// 4096 so that they can be mapped), image and manifest. Everything is
// little-endian. Readers refuse another version.
#ifndef INGOT_RUNTIME_CORE_FORMAT_H
#define INGOT_RUNTIME_CORE_FORMAT_H

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ingot::rt {

static_assert(std::endian::native == std::endian::little,
              "artifacts are little-endian");

/// Raised by every change of the header, of the manifest's meaning or of Abi.h.
inline constexpr uint32_t ArtifactFormatVersion = 5;

inline constexpr char ArtifactMagic[8] = {'I', 'N', 'G', 'O',
                                          'T', 'A', 'R', 'T'};

/// Where a section lies and the checksum of its bytes.
struct Section {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t checksum = 0;
};

/// The first bytes of the file.
struct ArtifactHeader {
  char magic[8];
  uint32_t version = ArtifactFormatVersion;
  /// No flag is defined: must be 0.
  uint32_t flags = 0;
  Section manifest, image, weights;
  /// Size of the whole file, so that a truncated one is recognised at once.
  uint64_t fileSize = 0;
  /// Checksum of the bytes before this field.
  uint64_t headerChecksum = 0;
};
static_assert(sizeof(ArtifactHeader) == 104 &&
              offsetof(ArtifactHeader, headerChecksum) == 96);

/// Alignment of the weights section in the file: a page.
inline constexpr uint64_t WeightsAlignment = 4096;

/// Sections larger than this are refused before anything is allocated.
inline constexpr uint64_t MaxManifestBytes = uint64_t(256) << 20;
inline constexpr uint64_t MaxImageBytes = uint64_t(1) << 30;

/// A 64-bit checksum that finds damage (every change of a single word, and any
/// other with probability 1 - 2^-64); it does not authenticate. Runs at the
/// speed of memory.
uint64_t checksum(std::span<const unsigned char> bytes);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_FORMAT_H
