//===- PagePool.cpp - memory of the caches' pages -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/PagePool.h"

#include "runtime/cpu/ProcessState.h"

#include <algorithm>

using namespace ingot::rt;

/// What a chunk holds at least, unless a single page is larger: large enough
/// for the system's huge pages, small beside what one sequence needs.
static constexpr uint64_t chunkBytes = uint64_t(4) << 20;

//===----------------------------------------------------------------------===//
// References
//===----------------------------------------------------------------------===//

PagePool::Ref PagePool::Ref::share() const {
  if (!page)
    return {};
  std::lock_guard lock(processMutex());
  ++page->users;
  return Ref(pool, page);
}

bool PagePool::Ref::isShared() const {
  if (!page)
    return false;
  std::lock_guard lock(processMutex());
  return page->users > 1;
}

void PagePool::Ref::reset() {
  if (!page)
    return;
  {
    std::lock_guard lock(processMutex());
    if (--page->users == 0)
      pool->release(page);
  }
  page = nullptr;
  pool.reset();
}

//===----------------------------------------------------------------------===//
// The pool
//===----------------------------------------------------------------------===//

PagePool::PagePool(const StateInfo &state, uint64_t maxBytes)
    : maxBytes(maxBytes), groups(state.groups.size()) {
  for (size_t i = 0; i < groups.size(); ++i)
    groups[i].pageBytes = state.groups[i].pageBytes;
}

PagePool::~PagePool() = default;

Status PagePool::grow(Group &group, size_t index) {
  uint64_t count = std::max<uint64_t>(chunkBytes / group.pageBytes, 1);
  if (maxBytes) {
    auto left = [&] {
      return maxBytes - std::min(maxBytes, numbers.bytesReserved);
    };
    if (left() < group.pageBytes)
      removeIdleChunks();
    if (left() < group.pageBytes)
      return failure(Code::OutOfMemory,
                     "the caches need more than the limit of ", maxBytes,
                     " bytes, of which ", numbers.bytesReserved,
                     " are reserved");
    // As many as all groups could have: the others need some as well.
    uint64_t ofAllGroups = 0;
    for (const Group &each : groups)
      ofAllGroups += each.pageBytes;
    count = std::min(count, std::max<uint64_t>(left() / ofAllGroups, 1));
  }
  Result<Mapping> memory = Mapping::allocate(count * group.pageBytes);
  if (!memory.ok())
    return failure(memory.status().code(), "cannot make a page of the caches: ",
                   memory.status().message());
  memory->preferLargePages();

  // Room for everything that is freed later, which must not fail.
  size_t pages = count;
  for (const std::unique_ptr<Chunk> &chunk : group.chunks)
    pages += chunk->pages.size();
  group.free.reserve(pages);
  auto chunk = std::make_unique<Chunk>();
  chunk->group = index;
  chunk->pages.reserve(count);
  for (uint64_t i = 0; i < count; ++i)
    chunk->pages.push_back(
        {memory->data() + i * group.pageBytes, 0, chunk.get()});
  chunk->memory = std::move(*memory);
  group.chunks.push_back(std::move(chunk));
  // The lowest address is taken first.
  std::vector<Page> &fresh = group.chunks.back()->pages;
  for (auto page = fresh.rbegin(); page != fresh.rend(); ++page)
    group.free.push_back(&*page);
  ++group.idleChunks;
  numbers.bytesReserved += count * group.pageBytes;
  return {};
}

Result<PagePool::Ref> PagePool::take(size_t index) {
  // Made first: it must not fail once the page is taken.
  std::shared_ptr<PagePool> self = shared_from_this();
  std::lock_guard lock(processMutex());
  Group &group = groups[index];
  if (group.free.empty())
    if (Status status = grow(group, index); !status.ok())
      return status;
  Page *page = group.free.back();
  group.free.pop_back();
  page->users = 1;
  if (page->chunk->inUse++ == 0)
    --group.idleChunks;
  numbers.bytesInUse += group.pageBytes;
  numbers.peakBytes = std::max(numbers.peakBytes, numbers.bytesInUse);
  return Ref(std::move(self), page);
}

void PagePool::release(Page *page) {
  Chunk *chunk = page->chunk;
  Group &group = groups[chunk->group];
  group.free.push_back(page);
  numbers.bytesInUse -= group.pageBytes;
  if (--chunk->inUse > 0)
    return;
  // One empty chunk stays, so that a sequence that comes and goes does not map
  // and unmap each time.
  if (group.idleChunks > 0)
    return removeChunk(group, chunk);
  ++group.idleChunks;
}

void PagePool::removeChunk(Group &group, Chunk *chunk) {
  std::erase_if(group.free, [&](Page *page) { return page->chunk == chunk; });
  numbers.bytesReserved -= chunk->pages.size() * group.pageBytes;
  std::erase_if(group.chunks, [&](const std::unique_ptr<Chunk> &candidate) {
    return candidate.get() == chunk;
  });
}

void PagePool::removeIdleChunks() {
  for (Group &group : groups) {
    if (group.idleChunks == 0)
      continue;
    auto idle = std::ranges::find_if(
        group.chunks, [](const auto &chunk) { return chunk->inUse == 0; });
    removeChunk(group, idle->get());
    --group.idleChunks;
  }
}

PagePool::Stats PagePool::stats() const {
  std::lock_guard lock(processMutex());
  return numbers;
}
