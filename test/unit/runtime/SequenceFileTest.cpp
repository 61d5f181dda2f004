//===- SequenceFileTest.cpp - saving and restoring a sequence -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

using namespace ingot::rt;
using namespace ingot::rt::test;

static Status restoring(const std::shared_ptr<Session> &session,
                        const std::string &path, uint64_t capacity = 0) {
  return Sequence::restore(session, path, capacity).status();
}

TEST(SequenceFile, GoesOnAsBefore) {
  TemporaryFolder folder;
  auto session = decoderSession();
  for (size_t length : {0, 1, 127, 128, 129, 700}) {
    auto sequence = makeSequence(session);
    Ids ids = someIds(length);
    if (length > 0)
      expectReads(*sequence, {}, ids);
    std::string path = folder.file("state");
    ASSERT_TRUE(sequence->save(path).ok());
    EXPECT_EQ(folder.entries(), 1u);
    // Another process has another session, but the same artifact.
    auto later = decoderSession(1);
    auto restored = Sequence::restore(later, path, 0);
    ASSERT_TRUE(restored.ok()) << restored.status().message();
    EXPECT_EQ((*restored)->length(), length);
    EXPECT_EQ(Ids((*restored)->ids().begin(), (*restored)->ids().end()), ids);
    EXPECT_EQ(later->pages()->stats().bytesInUse,
              session->pages()->stats().bytesInUse);
    std::string again = folder.file("again");
    ASSERT_TRUE((*restored)->save(again).ok());
    EXPECT_EQ(readFile(path), readFile(again));
    expectReads(**restored, ids, someIds(150, 5));
    expectReads(*sequence, ids, someIds(150, 5));
    std::filesystem::remove(again);
  }
}

// What stands behind the last position is somebody's past and not ours.
TEST(SequenceFile, HoldsNothingBehindTheEnd) {
  TemporaryFolder folder;
  auto session = decoderSession();
  auto sequence = makeSequence(session), clean = makeSequence(session);
  Ids ids = someIds(70);
  expectReads(*sequence, {}, ids + someIds(58, 1));
  ASSERT_TRUE(sequence->truncate(70).ok());
  expectReads(*clean, {}, ids);
  ASSERT_TRUE(sequence->save(folder.file("a")).ok());
  ASSERT_TRUE(clean->save(folder.file("b")).ok());
  EXPECT_EQ(readFile(folder.file("a")), readFile(folder.file("b")));
}

TEST(SequenceFile, EveryDamageIsFound) {
  TemporaryFolder folder;
  auto session = decoderSession();
  auto sequence = makeSequence(session);
  expectReads(*sequence, {}, someIds(140));
  std::string path = folder.file("state");
  ASSERT_TRUE(sequence->save(path).ok());
  Bytes good = readFile(path);
  for (size_t i = 0; i < good.size(); i += i < 64 ? 1 : 97) {
    Bytes bad = good;
    bad[i] ^= 1 << (i % 8);
    std::filesystem::remove(path); // Overwriting waits for the disk.
    writeFile(path, bad);
    EXPECT_FALSE(restoring(session, path).ok()) << "byte " << i;
  }
  for (size_t size = 0; size < good.size(); size += size < 100 ? 1 : 611) {
    writeFile(path, Bytes(good.begin(), good.begin() + size));
    EXPECT_EQ(restoring(session, path).code(), Code::CorruptArtifact) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  writeFile(path, longer);
  expectFails(restoring(session, path), Code::CorruptArtifact,
              {"cannot restore", path.c_str()});
  sequence.reset();
  EXPECT_EQ(session->pages()->stats().bytesInUse, 0u);
  writeFile(path, good);
  EXPECT_TRUE(restoring(session, path).ok());
}

TEST(SequenceFile, ForeignFilesAreRefused) {
  TemporaryFolder folder;
  auto session = decoderSession();
  auto sequence = makeSequence(session);
  expectReads(*sequence, {}, someIds(140));
  std::string path = folder.file("state");
  ASSERT_TRUE(sequence->save(path).ok());
  Manifest other = decoderManifest();
  other.source = "other.onnx";
  expectFails(restoring(decoderSession(1, other), path), Code::InvalidArgument,
              {"saved from another artifact"});
  expectFails(restoring(makeSession(), path), Code::InvalidArgument,
              {"not compiled for generation"});
  expectFails(restoring(session, path, 139), Code::SequenceFull, {"139"});
  EXPECT_TRUE(restoring(session, path, 140).ok());
  expectFails(restoring(session, folder.file("none")), Code::NotFound,
              {"none"});
  writeFile(path, decoderBytes());
  expectFails(restoring(session, path), Code::CorruptArtifact,
              {"not a saved sequence"});
  expectFails(sequence->save(folder.file("no/folder")), Code::IoError,
              {"no/folder"});
  EXPECT_EQ(folder.entries(), 1u);
}
