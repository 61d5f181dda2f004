//===- PagePoolTest.cpp - pages come, are shared, and go ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

#include "runtime/core/PagePool.h"

#include <cstring>
#include <thread>

using namespace ingot::rt;
using namespace ingot::rt::test;

static std::shared_ptr<PagePool>
makePool(std::initializer_list<uint64_t> pageBytes, uint64_t maxBytes) {
  StateInfo state;
  for (uint64_t bytes : pageBytes)
    state.groups.push_back({0, bytes});
  return std::make_shared<PagePool>(state, maxBytes);
}

/// A pool of one group.
static std::shared_ptr<PagePool> makePool(uint64_t pageBytes,
                                          uint64_t maxBytes = 0) {
  return makePool({pageBytes}, maxBytes);
}

static PagePool::Ref take(PagePool &pool, size_t group = 0) {
  auto page = pool.take(group);
  EXPECT_TRUE(page.ok()) << page.status().message();
  return std::move(*page);
}

TEST(PagePool, PagesAreApartAndAligned) {
  for (uint64_t bytes : {64, 4096 + 64, 5 << 20}) {
    auto pool = makePool(bytes);
    std::vector<PagePool::Ref> pages;
    for (int i = 0; i < 20; ++i) {
      pages.push_back(take(*pool));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(pages.back().data()) % 64, 0u);
      std::memset(pages.back().data(), i, bytes);
    }
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(pages[i].data()[0], i);
      EXPECT_EQ(pages[i].data()[bytes - 1], i);
    }
    EXPECT_EQ(pool->stats().bytesInUse, 20 * bytes);
    EXPECT_GE(pool->stats().bytesReserved, 20 * bytes);
  }
}

TEST(PagePool, APageLivesAsLongAsItsLastUse) {
  auto pool = makePool(64);
  PagePool::Ref one = take(*pool);
  EXPECT_FALSE(one.isShared());
  PagePool::Ref two = one.share(), none;
  EXPECT_TRUE(one.isShared() && two.isShared());
  EXPECT_EQ(one.data(), two.data());
  EXPECT_EQ(pool->stats().bytesInUse, 64u);
  one.reset();
  EXPECT_FALSE(two.isShared());
  EXPECT_EQ(pool->stats().bytesInUse, 64u);
  two = std::move(none);
  none.reset();
  EXPECT_EQ(pool->stats().bytesInUse, 0u);
  EXPECT_EQ(pool->stats().peakBytes, 64u);
  EXPECT_FALSE(two.share());
}

TEST(PagePool, GivesMemoryBack) {
  uint64_t bytes = 1 << 20;
  auto pool = makePool(bytes);
  std::vector<PagePool::Ref> pages;
  for (int i = 0; i < 64; ++i)
    pages.push_back(take(*pool));
  uint64_t most = pool->stats().bytesReserved;
  EXPECT_GE(most, 64 * bytes);
  pages.clear();
  // One chunk stays for the next sequence.
  EXPECT_LE(pool->stats().bytesReserved, 4 * bytes);
  EXPECT_EQ(pool->stats().bytesInUse, 0u);
  for (int i = 0; i < 64; ++i)
    pages.push_back(take(*pool));
  EXPECT_EQ(pool->stats().bytesReserved, most);
}

TEST(PagePool, HasALimit) {
  auto pool = makePool(1 << 20, 3 << 20);
  std::vector<PagePool::Ref> pages;
  for (int i = 0; i < 3; ++i)
    pages.push_back(take(*pool));
  expectFails(pool->take(0).status(), Code::OutOfMemory,
              {"the limit of 3145728 bytes"});
  pages.pop_back();
  EXPECT_TRUE(pool->take(0).ok());
}

TEST(PagePool, GroupsShareALimit) {
  // Far less than a chunk of any of them.
  auto pool = makePool({48 << 10, 16 << 10}, 640 << 10);
  std::vector<PagePool::Ref> pages;
  for (int i = 0; i < 10; ++i) {
    pages.push_back(take(*pool, 0));
    pages.push_back(take(*pool, 1));
  }
  EXPECT_EQ(pool->stats().bytesReserved, 640u << 10);
  EXPECT_FALSE(pool->take(1).ok());
  // What one of them keeps for later is the other's if that needs it.
  pages.clear();
  for (int i = 0; i < 40; ++i)
    pages.push_back(take(*pool, 1));
  EXPECT_EQ(pool->stats().bytesInUse, 640u << 10);
  EXPECT_LE(pool->stats().bytesReserved, 640u << 10);
}

TEST(PagePool, OutlivesItsHandle) {
  auto pool = makePool(64);
  PagePool::Ref page = take(*pool);
  pool.reset();
  page.data()[0] = 1;
}

TEST(PagePool, FromManyThreads) {
  auto pool = makePool(256 << 10);
  PagePool::Ref common = take(*pool);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 100; ++round) {
        PagePool::Ref shared = common.share();
        std::vector<PagePool::Ref> pages;
        for (int i = 0; i < 1 + round % 30; ++i) {
          pages.push_back(take(*pool));
          pages.back().data()[0] = thread;
        }
        for (const PagePool::Ref &page : pages)
          ASSERT_EQ(page.data()[0], thread);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(pool->stats().bytesInUse, 256u << 10);
}
