//===- ElfImageTest.cpp - images good and foreign -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestArtifact.h"

#include "runtime/core/Abi.h"

#include <cstring>
#include <elf.h>

using namespace ingot::rt;
using namespace ingot::rt::test;

static std::string refusal(const Bytes &bytes) {
  auto image = ElfImage::load(bytes);
  EXPECT_FALSE(image.ok());
  EXPECT_EQ(image.status().code(), Code::CorruptArtifact);
  return image.status().message();
}

static bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

TEST(ElfImage, LoadsAndCalls) {
  for (const char *hash : {"good", "gnu-hash", "sysv-hash"}) {
    auto loaded = ElfImage::load(image(hash));
    ASSERT_TRUE(loaded.ok()) << hash << loaded.status().message();
    auto function = loaded->function("ingot_sizes");
    ASSERT_TRUE(function.ok()) << hash << function.status().message();
    EXPECT_TRUE(loaded->function("ingot_entry").ok());
    Status missing = loaded->function("ingot_other").status();
    EXPECT_TRUE(contains(missing.message(), "ingot_other"));
  }
}

TEST(ElfImage, RefusesWhatNeedsOthers) {
  EXPECT_TRUE(contains(refusal(image("undefined")), "somewhereElse"));
  EXPECT_TRUE(contains(refusal(image("tls")), "thread-local"));
  EXPECT_TRUE(contains(refusal(image("constructor")), "unsupported kind"));
}

TEST(ElfImage, RefusesOtherFiles) {
  EXPECT_TRUE(contains(refusal({}), "too short"));
  EXPECT_TRUE(contains(refusal(Bytes(5000, 'x')), "not an ELF"));
  // This very program: it has an interpreter and needs libraries.
  EXPECT_FALSE(refusal(readFile("/proc/self/exe")).empty());

  Bytes other = image();
  other[EI_CLASS] = ELFCLASS32;
  EXPECT_TRUE(contains(refusal(other), "not for this kind of CPU"));
  other = image();
  other[offsetof(Elf64_Ehdr, e_machine)] = EM_AARCH64 & 0xFF;
  EXPECT_TRUE(contains(refusal(other), "not for this kind of CPU"));
  other = image();
  other[offsetof(Elf64_Ehdr, e_type)] = ET_EXEC;
  EXPECT_TRUE(contains(refusal(other), "not a shared object"));
}

TEST(ElfImage, RefusesWritableCode) {
  Bytes bytes = image();
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    unsigned char *place =
        bytes.data() + header.e_phoff + i * sizeof(Elf64_Phdr);
    Elf64_Phdr segment;
    std::memcpy(&segment, place, sizeof(segment));
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X))
      segment.p_flags |= PF_W;
    std::memcpy(place, &segment, sizeof(segment));
  }
  EXPECT_TRUE(contains(refusal(bytes), "writable and executable"));
}

// Damage anywhere is refused or changes only bytes of code and data; the
// loader itself stays within bounds (the sanitizers watch).
TEST(ElfImage, SurvivesEveryDamagedByte) {
  Bytes bytes = image();
  // Section headers and symbols for debuggers lie behind what is loaded.
  size_t end = std::min<size_t>(bytes.size(), 3 * 4096);
  for (size_t i = 0; i < end; ++i)
    for (unsigned char value : {0x00, 0xFF}) {
      if (bytes[i] == value)
        continue;
      unsigned char before = std::exchange(bytes[i], value);
      auto loaded = ElfImage::load(bytes);
      if (loaded.ok())
        (void)loaded->function("ingot_entry").ok();
      bytes[i] = before;
    }
}

TEST(ElfImage, SurvivesEveryTruncation) {
  Bytes bytes = image();
  for (size_t size = 0; size < bytes.size(); size += 7)
    (void)ElfImage::load(std::span(bytes).first(size)).ok();
}

TEST(Model, RefusesWhatThisMachineCannotRun) {
  Manifest changed = manifest();
  changed.cpuFeatures = {"sse2", "avx9000"};
  Status status =
      loadModel(artifactBytes(changed, image(), weights())).status();
  EXPECT_EQ(status.code(), Code::UnsupportedCpu);
  EXPECT_TRUE(contains(status.message(), "lacks: avx9000;"));

  changed = manifest();
  changed.triple = "aarch64-linux-gnu";
  status = loadModel(artifactBytes(changed, image(), weights())).status();
  EXPECT_EQ(status.code(), Code::UnsupportedCpu);
}

TEST(Model, NamesTheMissingEntry) {
  Status status =
      loadModel(artifactBytes(manifest(), image("no-entry"), weights()))
          .status();
  EXPECT_EQ(status.code(), Code::CorruptArtifact);
  EXPECT_TRUE(contains(status.message(), "'ingot_entry'"));
}
