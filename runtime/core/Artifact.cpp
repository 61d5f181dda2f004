//===- Artifact.cpp - opening and verifying an artifact -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Artifact.h"

#include "runtime/core/Format.h"

using namespace ingot::rt;

// What the weights pointer is when there are none.
alignas(WeightsAlignment) static const unsigned char noWeights[1] = {};

/// A file that is not an artifact, or a damaged one.
template <typename... Parts> static Status corrupt(const Parts &...parts) {
  return failure(Code::CorruptArtifact, parts...);
}

/// Checks everything that the header alone can tell.
static Status checkHeader(const ArtifactHeader &header, uint64_t fileSize) {
  if (std::memcmp(header.magic, ArtifactMagic, sizeof(ArtifactMagic)) != 0)
    return corrupt("not an Ingot artifact (wrong magic)");
  if (header.version != ArtifactFormatVersion)
    return failure(Code::UnsupportedVersion, "artifact format version ",
                   header.version, ", but this runtime reads version ",
                   ArtifactFormatVersion, "; compile the model again");
  const auto *bytes = reinterpret_cast<const unsigned char *>(&header);
  if (checksum({bytes, offsetof(ArtifactHeader, headerChecksum)}) !=
      header.headerChecksum)
    return corrupt("the header is damaged (checksum differs)");
  if (header.flags != 0)
    return failure(Code::UnsupportedVersion, "unknown flags ", header.flags);
  if (header.fileSize != fileSize)
    return corrupt("the file has ", fileSize, " bytes, but its header says ",
                   header.fileSize);
  return {};
}

static Status checkBounds(const Section &section, std::string_view name,
                          uint64_t fileSize, uint64_t limit) {
  if (section.offset > fileSize || section.size > fileSize - section.offset)
    return corrupt("the ", name, " section ends outside the file");
  if (section.size > limit)
    return corrupt("the ", name, " section is too large (", section.size,
                   " bytes)");
  return {};
}

static Status checkChecksum(const Section &section, std::string_view name,
                            std::span<const unsigned char> bytes) {
  if (checksum(bytes) != section.checksum)
    return corrupt("the ", name, " section is damaged (checksum differs)");
  return {};
}

Status Artifact::loadSections(const OpenOptions &options) {
  std::span<const unsigned char> file = mapping.bytes();
  ArtifactHeader header;
  if (file.size() < sizeof(header))
    return corrupt("not an Ingot artifact (only ", file.size(), " bytes)");
  std::memcpy(&header, file.data(), sizeof(header));
  if (Status status = checkHeader(header, file.size()); !status.ok())
    return status;

  contentChecksum = header.headerChecksum;

  struct Row {
    const Section &section;
    std::string_view name;
    uint64_t limit;
  };
  for (const Row &row :
       {Row{header.manifest, "manifest", MaxManifestBytes},
        Row{header.image, "image", MaxImageBytes},
        Row{header.weights, "weights", std::numeric_limits<int64_t>::max()}})
    if (Status status =
            checkBounds(row.section, row.name, file.size(), row.limit);
        !status.ok())
      return status;
  if (header.weights.offset % WeightsAlignment != 0)
    return corrupt("the weights section is not aligned to a page");

  // Manifest and image are copied before they are checked, so that what was
  // checked is what is used even if somebody writes to the file.
  auto copy = [&](const Section &section) {
    auto bytes = file.subspan(section.offset, section.size);
    return std::vector<unsigned char>(bytes.begin(), bytes.end());
  };
  std::vector<unsigned char> manifestBytes = copy(header.manifest);
  imageBytes = copy(header.image);
  weightBytes = file.subspan(header.weights.offset, header.weights.size);
  if (weightBytes.empty())
    weightBytes = {noWeights, 0};

  if (Status status = checkChecksum(header.manifest, "manifest", manifestBytes);
      !status.ok())
    return status;
  if (Status status = checkChecksum(header.image, "image", imageBytes);
      !status.ok())
    return status;
  if (options.verifyWeights) {
    mapping.populate();
    if (Status status = checkChecksum(header.weights, "weights", weightBytes);
        !status.ok())
      return status;
  }

  Result<Manifest> decoded = decodeManifest(manifestBytes);
  if (!decoded.ok())
    return decoded.status();
  content = std::move(*decoded);
  return checkManifest(content, weightBytes.size());
}

Status Artifact::load(const OpenOptions &options) {
  Status status = loadSections(options);
  if (status.ok())
    return status;
  return failure(status.code(), "cannot load '", origin,
                 "': ", status.message());
}

Result<std::shared_ptr<const Artifact>>
Artifact::open(const std::string &path, const OpenOptions &options) {
  Result<Mapping> mapping = Mapping::readFile(path);
  if (!mapping.ok())
    return mapping.status();
  mapping->preferLargePages();
  std::shared_ptr<Artifact> artifact(new Artifact(path, std::move(*mapping)));
  if (Status status = artifact->load(options); !status.ok())
    return status;
  return std::shared_ptr<const Artifact>(std::move(artifact));
}

Result<std::shared_ptr<const Artifact>>
Artifact::fromMemory(std::span<const unsigned char> bytes,
                     const OpenOptions &options) {
  Result<Mapping> mapping = Mapping::allocate(bytes.size());
  if (!mapping.ok())
    return mapping.status();
  mapping->preferLargePages();
  if (!bytes.empty())
    std::memcpy(mapping->data(), bytes.data(), bytes.size());
  std::shared_ptr<Artifact> artifact(
      new Artifact("<memory>", std::move(*mapping)));
  if (Status status = artifact->load(options); !status.ok())
    return status;
  return std::shared_ptr<const Artifact>(std::move(artifact));
}

Result<std::shared_ptr<const Artifact>>
Artifact::fromParts(Manifest manifest, std::span<const unsigned char> image,
                    std::span<const unsigned char> weights) {
  if (Status status = checkManifest(manifest, weights.size()); !status.ok())
    return status;
  std::shared_ptr<Artifact> artifact(new Artifact("<memory>", Mapping()));
  artifact->content = std::move(manifest);
  artifact->imageBytes.assign(image.begin(), image.end());
  artifact->weightBytes =
      weights.empty() ? std::span<const unsigned char>(noWeights, 0) : weights;
  return std::shared_ptr<const Artifact>(std::move(artifact));
}
