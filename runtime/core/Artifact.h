//===- Artifact.h - a verified artifact -*- C++ -*- -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Opens an artifact from a file or from memory and checks all of it: bounds,
// checksums, the manifest's structure. What it hands out can be relied on. An
// artifact is code all the same: load only what you trust.
#ifndef INGOT_RUNTIME_CORE_ARTIFACT_H
#define INGOT_RUNTIME_CORE_ARTIFACT_H

#include "runtime/core/Manifest.h"
#include "runtime/core/Mapping.h"

#include <memory>

namespace ingot::rt {

/// How to open an artifact.
struct OpenOptions {
  /// Also check the weights against their checksum. Without it, opening does
  /// not touch the weights, and damage in them goes unnoticed.
  bool verifyWeights = true;
};

/// The content of an artifact. Immutable, shared by all sessions over it.
class Artifact {
public:
  /// Maps a file. The file must not be truncated while the artifact lives;
  /// replacing it by renaming is fine.
  static Result<std::shared_ptr<const Artifact>>
  open(const std::string &path, const OpenOptions &options = {});

  /// Copies the bytes; the caller's buffer is not needed afterwards.
  static Result<std::shared_ptr<const Artifact>>
  fromMemory(std::span<const unsigned char> bytes,
             const OpenOptions &options = {});

  /// An artifact whose parts are in memory. The weights are not copied: they
  /// stay where they are while the artifact lives, aligned to a page.
  static Result<std::shared_ptr<const Artifact>>
  fromParts(Manifest manifest, std::span<const unsigned char> image,
            std::span<const unsigned char> weights);

  const Manifest &manifest() const { return content; }
  /// The ELF image.
  std::span<const unsigned char> image() const { return imageBytes; }
  /// The weights; the pointer is aligned to a page and never null.
  std::span<const unsigned char> weights() const { return weightBytes; }
  /// Differs between artifacts of different content (the header's checksum,
  /// which covers those of all sections).
  uint64_t identity() const { return contentChecksum; }
  /// The path, or "<memory>": for messages.
  const std::string &name() const { return origin; }

private:
  Artifact(std::string origin, Mapping mapping)
      : origin(std::move(origin)), mapping(std::move(mapping)) {}
  Status load(const OpenOptions &options);
  Status loadSections(const OpenOptions &options);

  std::string origin;
  uint64_t contentChecksum = 0;
  Mapping mapping;
  Manifest content;
  std::vector<unsigned char> imageBytes;
  std::span<const unsigned char> weightBytes;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_ARTIFACT_H
