//===- ArtifactWriter.cpp - writes artifact files -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Target/ArtifactWriter.h"

#include "runtime/core/Format.h"
#include "runtime/core/Mapping.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace ingot;
using namespace ingot::rt;

/// Writes all bytes at an offset; false with errno set otherwise.
static bool writeAll(int fd, std::span<const unsigned char> bytes,
                     uint64_t offset) {
  while (!bytes.empty()) {
    ssize_t written = pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes = bytes.subspan(written);
    offset += written;
  }
  return true;
}

/// Writes zeros to the file's first `bytes` bytes by large pages. A filesystem
/// that knows those keeps what is written at once as one of them, and whoever
/// maps the file then finds large pages in memory; pages that a mapping makes
/// are small.
static bool writeZeros(int fd, uint64_t bytes) {
  constexpr uint64_t largePage = uint64_t(2) << 20;
  std::vector<unsigned char> zeros(std::min(bytes, largePage));
  for (uint64_t offset = 0; offset < bytes; offset += largePage)
    if (!writeAll(fd,
                  std::span(zeros).first(std::min(largePage, bytes - offset)),
                  offset))
      return false;
  return true;
}

static uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

Status ArtifactWriter::fail(std::string_view what) const {
  return failure(Code::IoError, "cannot ", what, " '",
                 temporary.empty() ? path : temporary, "': ", systemError());
}

Result<std::unique_ptr<ArtifactWriter>>
ArtifactWriter::create(std::string path, uint64_t weightsBytes) {
  std::unique_ptr<ArtifactWriter> writer(
      new ArtifactWriter(std::move(path), weightsBytes));
  if (Status status = writer->openTemporary(); !status.ok())
    return status;
  if (Status status = writer->mapWeights(); !status.ok())
    return status;
  return writer;
}

Status ArtifactWriter::openTemporary() {
  // A leftover of a dead process with our id, or another thread of ours, makes
  // a name taken; a handful of attempts is plenty.
  for (unsigned attempt = 0; attempt < 100; ++attempt) {
    std::string name = concat(path, ".tmp-", getpid(), "-", attempt);
    fd = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
      temporary = std::move(name);
      return {};
    }
    if (errno != EEXIST)
      break;
  }
  return fail("create");
}

Status ArtifactWriter::mapWeights() {
  if (weightsBytes == 0)
    return {};
  // Reserved now: writing to a mapped page without disk space behind it would
  // kill the process.
  if (int error = posix_fallocate(fd, WeightsAlignment, weightsBytes)) {
    errno = error;
    return fail(concat("reserve ", weightsBytes, " bytes for"));
  }
  if (!writeZeros(fd, WeightsAlignment + weightsBytes))
    return fail("write");
  void *start = mmap(nullptr, weightsBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                     fd, WeightsAlignment);
  if (start == MAP_FAILED)
    return fail("map");
  mapped = static_cast<unsigned char *>(start);
  return {};
}

void ArtifactWriter::unmapWeights() {
  if (mapped)
    munmap(mapped, weightsBytes);
  mapped = nullptr;
}

ArtifactWriter::~ArtifactWriter() {
  unmapWeights();
  if (fd >= 0)
    close(fd);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

std::span<unsigned char> ArtifactWriter::weights() {
  return {mapped, mapped ? weightsBytes : 0};
}

Status ArtifactWriter::finish(const Manifest &manifest,
                              std::span<const unsigned char> image) {
  if (Status status = checkManifest(manifest, weightsBytes); !status.ok())
    return status;
  std::vector<unsigned char> manifestBytes = encodeManifest(manifest);

  ArtifactHeader header;
  std::memcpy(header.magic, ArtifactMagic, sizeof(ArtifactMagic));
  header.weights = {WeightsAlignment, weightsBytes, checksum(weights())};
  header.image = {alignUp(WeightsAlignment + weightsBytes, WeightsAlignment),
                  image.size(), checksum(image)};
  header.manifest = {alignUp(header.image.offset + image.size(), 64),
                     manifestBytes.size(), checksum(manifestBytes)};
  header.fileSize = header.manifest.offset + header.manifest.size;
  const auto *headerBytes = reinterpret_cast<const unsigned char *>(&header);
  header.headerChecksum =
      checksum({headerBytes, offsetof(ArtifactHeader, headerChecksum)});

  unmapWeights();
  if (!writeAll(fd, image, header.image.offset) ||
      !writeAll(fd, manifestBytes, header.manifest.offset) ||
      !writeAll(fd, {headerBytes, sizeof(header)}, 0))
    return fail("write");
  int result = close(fd);
  fd = -1;
  if (result != 0)
    return fail("write");
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return failure(Code::IoError, "cannot rename '", temporary, "' to '", path,
                   "': ", systemError());
  temporary.clear();
  return {};
}

Status ingot::writeArtifact(const ArtifactContents &contents,
                            const std::string &path) {
  auto writer = ArtifactWriter::create(path, contents.weights.size());
  if (!writer.ok())
    return writer.status();
  if (!contents.weights.empty())
    std::memcpy((*writer)->weights().data(), contents.weights.data(),
                contents.weights.size());
  return (*writer)->finish(contents.manifest, contents.image);
}
