//===- ArtifactWriter.h - writes artifact files -*- C++ -*- ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Writes an artifact: first the caller fills in the weights, straight in the
// mapped file and from as many threads as it likes, then the image and the
// manifest are added and the file appears under its name in one step. Needs no
// LLVM, so that the runtime's tests can use it.
#ifndef INGOT_TARGET_ARTIFACTWRITER_H
#define INGOT_TARGET_ARTIFACTWRITER_H

#include "runtime/core/Manifest.h"

#include <memory>

namespace ingot {

/// One artifact being written to `PATH.tmp-<pid>-<n>`. Unless finish()
/// succeeds, the destructor removes the temporary file.
///
///   auto writer = ArtifactWriter::create(path, weightsBytes);
///   if (!writer.ok())
///     return writer.status();
///   pack(writer->get()->weights());
///   return writer->get()->finish(manifest, image);
class ArtifactWriter {
public:
  /// Makes the temporary file and reserves the disk space of the weights.
  static rt::Result<std::unique_ptr<ArtifactWriter>>
  create(std::string path, uint64_t weightsBytes);

  ArtifactWriter(const ArtifactWriter &) = delete;
  ArtifactWriter &operator=(const ArtifactWriter &) = delete;
  ~ArtifactWriter();

  /// The weights section: writable, zeroed, aligned to a page, valid until
  /// finish().
  std::span<unsigned char> weights();

  /// Checks the manifest, adds it and the image, computes the checksums and
  /// renames the file to its final name. Called once.
  rt::Status finish(const rt::Manifest &manifest,
                    std::span<const unsigned char> image);

private:
  ArtifactWriter(std::string path, uint64_t weightsBytes)
      : path(std::move(path)), weightsBytes(weightsBytes) {}
  rt::Status openTemporary();
  rt::Status mapWeights();
  rt::Status fail(std::string_view what) const;
  void unmapWeights();

  std::string path, temporary;
  uint64_t weightsBytes;
  int fd = -1;
  unsigned char *mapped = nullptr;
};

/// Everything in an artifact, for callers that have the weights in memory.
struct ArtifactContents {
  rt::Manifest manifest;
  std::span<const unsigned char> image;
  std::span<const unsigned char> weights;
};

/// Writes an artifact in one go.
rt::Status writeArtifact(const ArtifactContents &contents,
                         const std::string &path);

} // namespace ingot

#endif // INGOT_TARGET_ARTIFACTWRITER_H
