//===- ArtifactFuzzer.cpp - artifacts from strangers ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Opens damaged artifacts. The checksums of most mutants are put right, so that
// the readers behind them are reached: the manifest's and the image's. Nothing
// of the image is ever executed.
#include "runtime/core/Artifact.h"
#include "runtime/core/ElfImage.h"
#include "runtime/core/Format.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

using namespace ingot::rt;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

/// Makes the checksums and the size in the header those of the content.
static void repair(uint8_t *data, size_t size) {
  ArtifactHeader header;
  if (size < sizeof header)
    return;
  std::memcpy(&header, data, sizeof header);
  for (Section *section : {&header.manifest, &header.image, &header.weights})
    if (section->offset <= size && section->size <= size - section->offset)
      section->checksum = checksum({data + section->offset, section->size});
  header.fileSize = size;
  std::memcpy(data, &header, sizeof header);
  header.headerChecksum =
      checksum({data, offsetof(ArtifactHeader, headerChecksum)});
  std::memcpy(data, &header, sizeof header);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, maxSize);
  if (seed % 8 != 0)
    repair(data, size);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto artifact = Artifact::fromMemory({data, size});
  if (artifact.ok())
    (void)ElfImage::load((*artifact)->image());
  return 0;
}
