//===- ArtifactTest.cpp - damage and strangeness in artifact files --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

#include "runtime/core/Format.h"

using namespace ingot::rt;
using namespace ingot::rt::test;

static ArtifactHeader headerOf(const Bytes &bytes) {
  ArtifactHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

/// Puts a header back with its checksum made right.
static void setHeader(Bytes &bytes, ArtifactHeader header) {
  header.headerChecksum =
      checksum({reinterpret_cast<const unsigned char *>(&header),
                offsetof(ArtifactHeader, headerChecksum)});
  std::memcpy(bytes.data(), &header, sizeof(header));
}

static Status load(const Bytes &bytes) {
  return Artifact::fromMemory(bytes).status();
}

static bool mentions(const Status &status, std::string_view text) {
  return status.message().find(text) != std::string::npos;
}

TEST(Artifact, RoundTrip) {
  Bytes bytes = artifactBytes();
  auto artifact = Artifact::fromMemory(bytes);
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  const Manifest &read = (*artifact)->manifest();
  EXPECT_EQ(read.source, "test.onnx");
  EXPECT_EQ(read.cpuFeatures, std::vector<std::string>{"sse2"});
  ASSERT_EQ(read.inputs.size(), 3u);
  EXPECT_EQ(read.inputs[1].name, "b");
  EXPECT_EQ(read.inputs[1].dtype, DType::F32);
  EXPECT_EQ(read.inputs[1].dims[1].str(), "n");
  EXPECT_EQ(read.inputs[2].dims[0].value, 1);
  EXPECT_EQ(read.symbols[0].max, 1000);
  EXPECT_EQ(read.symbols[1].max, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(read.errors[2], "the check failed on request");
  EXPECT_EQ(read.weights[0].dims, std::vector<int64_t>{4});
  EXPECT_EQ(read.stages[0].nodes, "Add_1");
  EXPECT_EQ(read.stages[0].reads, std::vector<uint32_t>{0});
  EXPECT_EQ(read.stages[0].writes, std::vector<uint32_t>{1});
  ASSERT_EQ(read.buffers.size(), 2u);
  EXPECT_EQ(read.buffers[0].name, "a");
  EXPECT_EQ(read.buffers[1].bytes, "batch * 8");
  EXPECT_TRUE(read.buffers[1].isEach);
  EXPECT_EQ(read.ops[0].count, 1u);
  EXPECT_EQ((*artifact)->image().size(), image().size());
  auto section = (*artifact)->weights();
  EXPECT_EQ(Bytes(section.begin(), section.end()), weights());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(section.data()) % 64, 0u);
}

TEST(Artifact, NoWeights) {
  Manifest without = manifest();
  without.weights.clear();
  auto artifact = Artifact::fromMemory(artifactBytes(without, image(), {}));
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  EXPECT_TRUE((*artifact)->weights().empty());
  EXPECT_NE((*artifact)->weights().data(), nullptr);
}

TEST(Artifact, SameContentSameBytes) {
  EXPECT_EQ(artifactBytes(), artifactBytes());
}

// Every byte that means something is covered by a checksum.
TEST(Artifact, EveryDamagedByteIsFound) {
  Bytes bytes = artifactBytes();
  ArtifactHeader header = headerOf(bytes);
  auto isIn = [](size_t i, const Section &section) {
    return i >= section.offset && i - section.offset < section.size;
  };
  for (size_t i = 0; i < bytes.size(); ++i) {
    // What lies between the sections is nothing.
    if (i >= sizeof(header) && !isIn(i, header.manifest) &&
        !isIn(i, header.image) && !isIn(i, header.weights))
      continue;
    bytes[i] ^= 1 << (i % 8);
    EXPECT_FALSE(load(bytes).ok()) << "byte " << i;
    bytes[i] ^= 1 << (i % 8);
  }
  EXPECT_TRUE(load(bytes).ok());
}

TEST(Artifact, EveryTruncationIsFound) {
  Bytes bytes = artifactBytes();
  for (size_t size = 0; size < bytes.size(); size += size < 256 ? 1 : 61) {
    Status status = load(Bytes(bytes.begin(), bytes.begin() + size));
    EXPECT_EQ(status.code(), Code::CorruptArtifact) << size;
  }
  bytes.push_back(0);
  EXPECT_EQ(load(bytes).code(), Code::CorruptArtifact);
}

TEST(Artifact, SectionsOutOfBounds) {
  Bytes good = artifactBytes();
  for (Section ArtifactHeader::*section :
       {&ArtifactHeader::manifest, &ArtifactHeader::image,
        &ArtifactHeader::weights})
    for (uint64_t value : {good.size() + 1, size_t(1) << 62, ~size_t(0)}) {
      Bytes bytes = good;
      ArtifactHeader header = headerOf(good);
      (header.*section).offset = value;
      setHeader(bytes, header);
      EXPECT_TRUE(mentions(load(bytes), "ends outside the file"));
      header = headerOf(good);
      (header.*section).size = value;
      setHeader(bytes, header);
      EXPECT_TRUE(mentions(load(bytes), "ends outside the file"));
    }
}

TEST(Artifact, OtherVersionsAndFlags) {
  Bytes bytes = artifactBytes();
  ArtifactHeader header = headerOf(bytes);
  header.version = ArtifactFormatVersion + 1;
  setHeader(bytes, header);
  Status status = load(bytes);
  EXPECT_EQ(status.code(), Code::UnsupportedVersion);
  EXPECT_TRUE(mentions(status, "compile the model again"));
  header.version = ArtifactFormatVersion;
  header.flags = 4;
  setHeader(bytes, header);
  EXPECT_EQ(load(bytes).code(), Code::UnsupportedVersion);
  EXPECT_TRUE(mentions(load(Bytes(200, 'x')), "not an Ingot artifact"));
}

// With the checksum made right again, FlatBuffers' verifier and our own checks
// have to find the damage, or it must be harmless.
TEST(Artifact, DamagedManifestWithRightChecksum) {
  Bytes good = artifactBytes();
  ArtifactHeader original = headerOf(good);
  for (size_t i = 0; i < original.manifest.size; ++i)
    for (unsigned char value : {0x00, 0x7F, 0xFF}) {
      Bytes bytes = good;
      bytes[original.manifest.offset + i] = value;
      ArtifactHeader header = original;
      header.manifest.checksum = checksum(std::span(bytes).subspan(
          original.manifest.offset, original.manifest.size));
      setHeader(bytes, header);
      if (auto model = loadModel(bytes); !model.ok())
        EXPECT_FALSE(model.status().message().empty());
    }
}

TEST(Artifact, ManifestAtAnOddPlace) {
  Bytes good = encodeManifest(manifest());
  ASSERT_TRUE(decodeManifest(good).ok());
  // Numbers of 64 bits do not lie on multiples of eight any more.
  std::vector<uint64_t> storage(good.size() / 8 + 2);
  auto *moved = reinterpret_cast<unsigned char *>(storage.data()) + 4;
  std::memcpy(moved, good.data(), good.size());
  Result<Manifest> read = decodeManifest(std::span(moved, good.size()));
  EXPECT_EQ(read.status().code(), Code::CorruptArtifact);
}

TEST(Artifact, ImpossibleManifests) {
  auto check = [](void (*change)(Manifest &)) {
    Manifest changed = manifest();
    change(changed);
    return checkManifest(changed, 4).message();
  };
  EXPECT_EQ(check([](Manifest &) {}), "");
  EXPECT_NE(check([](Manifest &m) { m.inputs[1].name = "a"; }), "");
  EXPECT_NE(check([](Manifest &m) { m.inputs[1].name = ""; }), "");
  EXPECT_NE(check([](Manifest &m) { m.outputs[0].dtype = DType(99); }), "");
  EXPECT_NE(check([](Manifest &m) { m.inputs[0].dims[0].text = ""; }), "");
  EXPECT_NE(check([](Manifest &m) { m.symbols[0].min = 2000; }), "");
  EXPECT_NE(check([](Manifest &m) { m.symbols[0].min = -1; }), "");
  EXPECT_NE(check([](Manifest &m) { m.errors[0] = "zero"; }), "");
  EXPECT_NE(check([](Manifest &m) { m.weights[0].offset = 1; }), "");
  EXPECT_NE(check([](Manifest &m) { m.weights[0].offset = ~0ull; }), "");
  EXPECT_NE(check([](Manifest &m) { m.stages[0].writes = {2}; }), "");
  EXPECT_NE(check([](Manifest &m) { m.buffers.clear(); }), "");
  EXPECT_NE(check([](Manifest &m) { m.entrySymbol = ""; }), "");
}

TEST(Artifact, StateRoundTrip) {
  Manifest written = decoderManifest();
  written.state->maxPositions = 1000;
  auto artifact = Artifact::fromMemory(decoderBytes(written));
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  const Manifest &read = (*artifact)->manifest();
  ASSERT_TRUE(read.state);
  EXPECT_EQ(read.state->pagePositions, 128u);
  EXPECT_EQ(read.state->maxPositions, 1000u);
  ASSERT_EQ(read.state->groups.size(), 2u);
  EXPECT_EQ(read.state->groups[1].window, 200u);
  EXPECT_EQ(read.state->groups[0].pageBytes, 7680u);
  ASSERT_EQ(read.state->caches.size(), 3u);
  EXPECT_EQ(read.state->caches[1].keyInput, "past.1.key");
  EXPECT_EQ(read.state->caches[1].valueDepth, 4u);
  EXPECT_EQ(read.state->caches[2].group, 1u);
  EXPECT_EQ(read.state->caches[2].dtype, DType::F16);
  EXPECT_EQ(read.state->caches[2].valueOffset, 1024u);
  EXPECT_EQ(read.state->countInput, "ingot.count");
  EXPECT_EQ(read.state->replaced[0], "attention_mask: all ones");
  ASSERT_EQ(read.entries.size(), 3u);
  EXPECT_EQ(read.entries[0].symbols[1].max, 1);
  EXPECT_EQ(read.entries[0].stages[0].name, "stage0");
  EXPECT_EQ(read.entries[0].arena, "16 * batch");
  EXPECT_EQ(read.entries[1].entrySymbol, "all_entry");
  EXPECT_EQ(read.entries[1].outputs[0].dims[1].str(), "seq");
  EXPECT_FALSE(
      (*Artifact::fromMemory(artifactBytes()))->manifest().state.has_value());
}

TEST(Artifact, ImpossibleStates) {
  auto check = [](void (*change)(Manifest &)) {
    Manifest changed = decoderManifest();
    change(changed);
    return checkManifest(changed, 4).message();
  };
  EXPECT_EQ(check([](Manifest &) {}), "");
  for (auto change : std::initializer_list<void (*)(Manifest &)>{
           [](Manifest &m) { m.state->caches.clear(); },
           [](Manifest &m) { m.state->pagePositions = 0; },
           [](Manifest &m) { m.state->pagePositions = ~0ull; },
           [](Manifest &m) { m.state->groups[0].pageBytes = 0; },
           [](Manifest &m) { m.state->groups[0].pageBytes -= 64; },
           [](Manifest &m) { m.state->groups[0].pageBytes += 1; },
           [](Manifest &m) {
             m.state->groups[0].pageBytes = uint64_t(1) << 41;
           },
           [](Manifest &m) { m.state->caches[1].group = 2; },
           [](Manifest &m) { m.state->caches[1].name = "layer.0"; },
           [](Manifest &m) { m.state->caches[1].name = ""; },
           [](Manifest &m) { m.state->caches[1].dtype = DType::I8; },
           [](Manifest &m) { m.state->caches[1].dtype = DType(77); },
           [](Manifest &m) { m.state->caches[1].heads = 0; },
           [](Manifest &m) { m.state->caches[1].heads = 1ull << 62; },
           [](Manifest &m) { m.state->caches[1].keyOffset = 32; },
           [](Manifest &m) { m.state->caches[1].valueOffset -= 64; },
           [](Manifest &m) { m.state->caches[1].valueOffset = ~63ull; },
           [](Manifest &m) { m.state->tokensInput = "ids"; },
           [](Manifest &m) { m.inputs[0].dtype = DType::F32; },
           [](Manifest &m) { m.inputs[1].dtype = DType::I32; },
           [](Manifest &m) { m.inputs[2].dims.clear(); },
           [](Manifest &m) { m.inputs.push_back({"x", DType::F32, {}}); },
           [](Manifest &m) { m.state->logitsOutput = "y"; },
           [](Manifest &m) { m.outputs[0].dtype = DType::F16; },
           [](Manifest &m) { m.outputs[0].dims[1] = Dim::symbolic("v"); },
           [](Manifest &m) { m.entries[0].name = ""; },
           [](Manifest &m) { m.entries.push_back(m.entries[0]); },
           [](Manifest &m) { m.entries[0].entrySymbol = ""; },
           [](Manifest &m) { m.entries[0].symbols[0].min = -1; },
           [](Manifest &m) { m.entries[0].inputs.pop_back(); },
           [](Manifest &m) { m.entries[1].outputs[0].dims.pop_back(); },
           [](Manifest &m) { m.entries.pop_back(); },
           [](Manifest &m) { m.entries[2].inputs.pop_back(); },
           [](Manifest &m) { m.entries[2].inputs[0].dtype = DType::F64; },
           [](Manifest &m) { m.entries[2].inputs[1].name = "past"; },
           [](Manifest &m) { m.entries[2].inputs[2].dims[0].value = 3; },
           [](Manifest &m) { m.entries[2].outputs.clear(); },
           [](Manifest &m) { m.entries[2].outputs[0].dims[0].value = 1; }})
    EXPECT_NE(check(change), "");
}

/// The decoder with its first group of caches bound to an input of its own.
static Manifest boundManifest() {
  Manifest m = decoderManifest();
  Dim rows = Dim::symbolic("batch"), length = Dim::symbolic("length");
  m.state->groups[0].isBound = true;
  m.state->boundInput = "ingot.bound";
  m.state->boundLength = length;
  TensorInfo bound = {"ingot.bound", DType::I64, {rows}};
  m.inputs.push_back(bound);
  for (EntryInfo &entry : m.entries)
    if (entry.name != "sample")
      entry.inputs.push_back(bound);
  EntryInfo bind{"bind", "bind_sizes", "bind_entry", m.symbols, {},
                 {},     {},           "",           {}};
  bind.inputs = {{"states", DType::F32, {rows, length, Dim::fixed(8)}},
                 m.inputs[1],
                 m.inputs[2]};
  m.entries.push_back(bind);
  return m;
}

TEST(Artifact, BoundCaches) {
  Manifest written = boundManifest();
  Manifest read = *decodeManifest(encodeManifest(written));
  EXPECT_TRUE(read.state->groups[0].isBound);
  EXPECT_FALSE(read.state->groups[1].isBound);
  EXPECT_EQ(read.state->boundInput, "ingot.bound");
  EXPECT_EQ(read.state->boundLength.str(), "length");
  auto check = [](void (*change)(Manifest &)) {
    Manifest changed = boundManifest();
    change(changed);
    return checkManifest(changed, 4).message();
  };
  EXPECT_EQ(check([](Manifest &) {}), "");
  EXPECT_EQ(check([](Manifest &m) { m.state->boundLength = Dim::fixed(9); }),
            "");
  for (auto change : std::initializer_list<void (*)(Manifest &)>{
           [](Manifest &m) { m.state->groups[0].window = 7; },
           [](Manifest &m) { m.state->boundInput.clear(); },
           [](Manifest &m) { m.state->boundInput = "x"; },
           [](Manifest &m) { m.state->boundLength.text = "x"; },
           [](Manifest &m) { m.inputs[3].dtype = DType::I32; },
           [](Manifest &m) { m.entries[1].inputs.pop_back(); },
           [](Manifest &m) { m.entries.pop_back(); },
           [](Manifest &m) { m.entries[3].inputs.pop_back(); },
           [](Manifest &m) { m.entries[3].outputs = m.outputs; }})
    EXPECT_NE(check(change), "");
}

/// Two programs, between which a boolean input decides.
static Manifest decidedManifest() {
  Manifest m = manifest();
  m.inputs[2] = {"use", DType::Bool, {Dim::fixed(1)}};
  m.entries.push_back({"otherwise",
                       m.sizesSymbol,
                       m.entrySymbol,
                       m.symbols,
                       m.inputs,
                       m.outputs,
                       {},
                       "",
                       {}});
  m.entries[0].outputs[0].dims[1] = Dim::fixed(3);
  m.decider = {"use", "otherwise"};
  return m;
}

TEST(Artifact, Deciders) {
  auto artifact = Artifact::fromMemory(
      artifactBytes(decidedManifest(), image(), weights()));
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  const Manifest &read = (*artifact)->manifest();
  ASSERT_TRUE(read.decider);
  EXPECT_EQ(read.decider->input, "use");
  EXPECT_EQ(read.decider->entry, "otherwise");
  for (auto change : std::initializer_list<void (*)(Manifest &)>{
           [](Manifest &m) { m.decider->input = "a"; },
           [](Manifest &m) { m.decider->input = "none"; },
           [](Manifest &m) { m.decider->entry = "none"; },
           [](Manifest &m) { m.inputs[2].dtype = DType::I8; },
           [](Manifest &m) { m.inputs[2].dims[0] = Dim::fixed(2); },
           [](Manifest &m) { m.inputs[2].dims[0] = Dim::symbolic("n"); },
           [](Manifest &m) { m.entries[0].inputs.pop_back(); },
           [](Manifest &m) { m.entries[0].inputs[0].name = "x"; },
           [](Manifest &m) { m.entries[0].outputs[0].dtype = DType::F64; },
           [](Manifest &m) { m.entries[0].outputs[0].dims.pop_back(); }}) {
    Manifest changed = decidedManifest();
    change(changed);
    EXPECT_FALSE(checkManifest(changed, 4).ok());
  }
  Manifest withState = decoderManifest();
  withState.decider = {"use", "all"};
  EXPECT_FALSE(checkManifest(withState, 4).ok());
}

/// The example's manifest with tiles that were tried at two sizes.
static Manifest tunedManifest() {
  Manifest m = manifest();
  m.stages[0].cuts = {{"product 4x4 of 32 bits", "8x16x4"}};
  m.tuning = {2,
              {"n=1", "n=8"},
              {{"product 4x4 of 32 bits",
                "8x16x4",
                {{"24x32x4", {1e-3, 0.25}}, {"8x16x4", {2e-3, 0.125}}}}},
              {1, 2},
              {0.5, 1}};
  return m;
}

TEST(Artifact, TuningRoundTrip) {
  auto artifact =
      Artifact::fromMemory(artifactBytes(tunedManifest(), image(), weights()));
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  const Manifest &read = (*artifact)->manifest(), wanted = tunedManifest();
  EXPECT_EQ(read.stages[0].cuts, wanted.stages[0].cuts);
  ASSERT_TRUE(read.tuning);
  EXPECT_EQ(read.tuning->workers, 2u);
  EXPECT_EQ(read.tuning->sizes, wanted.tuning->sizes);
  ASSERT_EQ(read.tuning->shapes.size(), 1u);
  EXPECT_EQ(read.tuning->shapes[0].of, "product 4x4 of 32 bits");
  EXPECT_EQ(read.tuning->shapes[0].tile, "8x16x4");
  ASSERT_EQ(read.tuning->shapes[0].tried.size(), 2u);
  EXPECT_EQ(read.tuning->shapes[0].tried[1].tile, "8x16x4");
  EXPECT_EQ(read.tuning->shapes[0].tried[1].seconds,
            (std::vector<double>{2e-3, 0.125}));
  EXPECT_EQ(read.tuning->before, wanted.tuning->before);
  EXPECT_EQ(read.tuning->after, wanted.tuning->after);
}

TEST(Artifact, TimesAreThoseOfTheSizes) {
  EXPECT_TRUE(checkManifest(tunedManifest(), 4).ok());
  for (auto change : std::initializer_list<void (*)(Manifest &)>{
           [](Manifest &m) { m.tuning->sizes.pop_back(); },
           [](Manifest &m) { m.tuning->before.clear(); },
           [](Manifest &m) { m.tuning->after.push_back(1); },
           [](Manifest &m) { m.tuning->shapes[0].tried[0].seconds.clear(); }}) {
    Manifest changed = tunedManifest();
    change(changed);
    EXPECT_FALSE(checkManifest(changed, 4).ok());
  }
}

TEST(Artifact, PartsInMemory) {
  std::vector<unsigned char> data(weights());
  auto artifact = Artifact::fromParts(manifest(), image(), data);
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  EXPECT_EQ((*artifact)->weights().data(), data.data());
  EXPECT_EQ((*artifact)->manifest().inputs.size(), manifest().inputs.size());
  EXPECT_FALSE(Artifact::fromParts(manifest(), image(), {}).ok());
}

TEST(Artifact, FilesThatCannotBeRead) {
  TemporaryFolder folder;
  Status missing = Artifact::open(folder.file("missing")).status();
  EXPECT_EQ(missing.code(), Code::NotFound);
  EXPECT_TRUE(mentions(missing, folder.file("missing")));
  EXPECT_EQ(Artifact::open(folder.path).status().code(), Code::IoError);
  writeFile(folder.file("empty"), {});
  EXPECT_EQ(Artifact::open(folder.file("empty")).status().code(),
            Code::CorruptArtifact);
}

TEST(Artifact, WeightsCheckCanBeSkipped) {
  Bytes bytes = artifactBytes();
  bytes[headerOf(bytes).weights.offset] ^= 1;
  EXPECT_TRUE(mentions(load(bytes), "weights section is damaged"));
  EXPECT_TRUE(Artifact::fromMemory(bytes, {.verifyWeights = false}).ok());
}

TEST(ArtifactWriter, AppearsOnlyWhenFinished) {
  TemporaryFolder folder;
  auto writer = ingot::ArtifactWriter::create(folder.file("model"), 100000);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_EQ((*writer)->weights().size(), 100000u);
  EXPECT_FALSE(std::filesystem::exists(folder.file("model")));
  (*writer)->weights()[99999] = 5;
  ASSERT_TRUE((*writer)->finish(manifest(), image()).ok());
  EXPECT_EQ(folder.entries(), 1u);
  auto artifact = Artifact::open(folder.file("model"));
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  EXPECT_EQ((*artifact)->weights()[99999], 5);
}

TEST(ArtifactWriter, LeavesNothingBehind) {
  TemporaryFolder folder;
  {
    auto writer = ingot::ArtifactWriter::create(folder.file("model"), 10);
  }
  EXPECT_EQ(folder.entries(), 0u);
  Manifest wrong = manifest();
  wrong.errors = {"zero"};
  EXPECT_FALSE(
      ingot::writeArtifact({wrong, image(), weights()}, folder.file("model"))
          .ok());
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(ArtifactWriter, SaysWhyItCannotWrite) {
  TemporaryFolder folder;
  Status status = ingot::writeArtifact({manifest(), image(), weights()},
                                       folder.file("no/such/folder"));
  EXPECT_EQ(status.code(), Code::IoError);
  EXPECT_TRUE(mentions(status, "no/such/folder"));
  // More than any disk has.
  status = ingot::ArtifactWriter::create(folder.file("huge"), uint64_t(1) << 62)
               .status();
  EXPECT_EQ(status.code(), Code::IoError);
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(ArtifactWriter, SeveralAtOnce) {
  TemporaryFolder folder;
  auto one = ingot::ArtifactWriter::create(folder.file("model"), 10);
  auto two = ingot::ArtifactWriter::create(folder.file("model"), 10);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_TRUE((*one)->finish(manifest(), image()).ok());
  EXPECT_TRUE((*two)->finish(manifest(), image()).ok());
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_TRUE(Artifact::open(folder.file("model")).ok());
}
