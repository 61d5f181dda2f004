//===- MachineTest.cpp - tests of a machine's parameters ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/Machine.h"
#include "lib/Machine/CacheFolder.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace ingot::machine;
namespace fs = std::filesystem;

static Machine example() {
  Machine machine;
  machine.identity = {"A CPU of 3 GHz", "avx2,fma", 4};
  machine.caches = {{32768, 2}, {1 << 20, 2}, {33554432, 8}};
  machine.cacheReads = {{1.5e11, 6e11}, {7.25e10, 2.5e11}, {1.0 / 3e-11, 8e10}};
  machine.memoryReads = {1.2345678901234567e10, 3e10};
  machine.floats = {1e11, 4e11};
  machine.clock = 3e9;
  machine.barrier = 1.0 / 3;
  return machine;
}

namespace {
/// A cache folder of the test's own.
class MachineFile : public testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ingot-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    setenv("XDG_CACHE_HOME", name.c_str(), 1);
  }
  void TearDown() override { fs::remove_all(folder); }

  static void write(const fs::path &path, const std::string &text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  fs::path folder;
};
} // namespace

TEST(Machine, ReadsWhatItWrote) {
  Machine machine = example();
  std::string text = toText(machine);
  ASSERT_TRUE(fromText(text));
  EXPECT_EQ(*fromText(text), machine);
  // A CPU without a name, a system that tells of no caches.
  EXPECT_EQ(*fromText(toText(Machine())), Machine());
}

TEST(Machine, BelievesNothingDamaged) {
  std::string text = toText(example());
  for (size_t i = 0; i < text.size(); ++i) {
    EXPECT_FALSE(fromText(std::string_view(text).substr(0, i))) << i;
    std::string other = text;
    other[i] ^= 1;
    EXPECT_FALSE(fromText(other)) << i;
  }
  EXPECT_FALSE(fromText(text + "x"));
  EXPECT_FALSE(fromText(""));
}

TEST(Machine, IsMeasured) {
  auto machine = measure();
  ASSERT_TRUE(machine.ok());
  EXPECT_EQ(machine->identity, Identity::here());
  for (const Rate &rate : {machine->floats, machine->memoryReads}) {
    EXPECT_GT(rate.core, 0);
    EXPECT_GT(rate.all, 0);
  }
  EXPECT_GT(machine->barrier, 0);
  EXPECT_EQ(machine->cacheReads.size(), machine->caches.size());
  EXPECT_EQ(*fromText(toText(*machine)), *machine);
}

TEST(Machine, TellsThatSomethingElseRan) {
  Machine machine = example();
  machine.barrier = 1e-6;
  EXPECT_FALSE(wasDisturbed(machine));
  machine.floats.all = machine.floats.core;
  EXPECT_FALSE(wasDisturbed(machine));
  machine.floats.all = 0.9 * machine.floats.core;
  EXPECT_TRUE(wasDisturbed(machine));
  // One core meets nobody.
  machine.identity.cores = 1;
  EXPECT_FALSE(wasDisturbed(machine));
  machine = example();
  EXPECT_TRUE(wasDisturbed(machine)) << "a barrier of a third of a second";
}

/// Stands for measuring: each time the clock is faster.
static ingot::rt::Result<Machine> fake() {
  static double clock = 0;
  Machine machine = example();
  machine.identity = Identity::here();
  machine.clock = ++clock;
  return machine;
}

TEST_F(MachineFile, MeasuresOnceAndKeepsIt) {
  EXPECT_FALSE(stored(Identity::here()));
  Machine first = *known(/*anew=*/false, fake);
  EXPECT_EQ(*known(/*anew=*/false, fake), first);
  EXPECT_EQ(*stored(Identity::here()), first);
  Machine second = *known(/*anew=*/true, fake);
  EXPECT_GT(second.clock, first.clock);
  EXPECT_EQ(*stored(Identity::here()), second);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "ingot/machines"),
                          fs::directory_iterator()),
            1);
}

TEST_F(MachineFile, TakesOnlyItsOwn) {
  fs::path path = fileOf(Identity::here());
  ASSERT_FALSE(path.empty());
  EXPECT_NE(fileOf({"other", "", 1}), path);
  // Another machine's, under this one's name; then something else.
  for (const std::string &text : {toText(example()), std::string("nonsense"),
                                  std::string(1 << 20, 'x')}) {
    write(path, text);
    EXPECT_FALSE(stored(Identity::here()));
    EXPECT_TRUE(known(/*anew=*/false, fake).ok());
    EXPECT_TRUE(stored(Identity::here()));
  }
}

TEST_F(MachineFile, NeedsNoFolder) {
  // A file is where the folder would be.
  write(folder / "ingot", "");
  EXPECT_TRUE(writableCacheFolder().empty());
  EXPECT_TRUE(known(/*anew=*/false, fake).ok());
  EXPECT_FALSE(stored(Identity::here()));
}
