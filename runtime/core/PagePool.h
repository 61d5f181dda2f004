//===- PagePool.h - memory of the caches' pages -*- C++ -*- ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Pages of keys and values, counted by who uses them. Sequences that share a
// prefix share its pages. Memory is mapped a chunk at a time and given back
// when a chunk has no page in use.
#ifndef INGOT_RUNTIME_CORE_PAGEPOOL_H
#define INGOT_RUNTIME_CORE_PAGEPOOL_H

#include "runtime/core/Manifest.h"
#include "runtime/core/Mapping.h"

#include <memory>

namespace ingot::rt {

/// Any thread may use a pool and the references to its pages.
class PagePool : public std::enable_shared_from_this<PagePool> {
  struct Chunk;
  struct Page {
    unsigned char *data;
    uint32_t users;
    Chunk *chunk;
  };

public:
  /// One use of a page; empty if default-constructed.
  class Ref {
  public:
    Ref() = default;
    Ref(Ref &&other) noexcept { swap(other); }
    Ref &operator=(Ref &&other) noexcept {
      swap(other);
      return *this;
    }
    ~Ref() { reset(); }

    explicit operator bool() const { return page; }
    unsigned char *data() const { return page ? page->data : nullptr; }
    /// A further use of the same page.
    Ref share() const;
    /// Whether somebody else uses the page as well.
    bool isShared() const;
    void reset();

  private:
    friend class PagePool;
    Ref(std::shared_ptr<PagePool> pool, Page *page)
        : pool(std::move(pool)), page(page) {}
    void swap(Ref &other) noexcept {
      std::swap(pool, other.pool);
      std::swap(page, other.page);
    }

    std::shared_ptr<PagePool> pool;
    Page *page = nullptr;
  };

  struct Stats {
    /// Of pages in use; one that several sequences share counts once.
    uint64_t bytesInUse = 0;
    /// Of memory that the pool holds.
    uint64_t bytesReserved = 0;
    /// The most that bytesInUse ever was.
    uint64_t peakBytes = 0;
  };

  /// `maxBytes` limits bytesReserved; 0 for no limit.
  PagePool(const StateInfo &state, uint64_t maxBytes);
  PagePool(const PagePool &) = delete;
  PagePool &operator=(const PagePool &) = delete;
  ~PagePool();

  uint64_t pageBytes(size_t group) const { return groups[group].pageBytes; }

  /// A page that nobody else uses; its content is undefined.
  Result<Ref> take(size_t group);

  Stats stats() const;

private:
  /// Memory for some pages of one group.
  struct Chunk {
    Mapping memory;
    std::vector<Page> pages;
    size_t group = 0;
    size_t inUse = 0;
  };
  struct Group {
    uint64_t pageBytes = 0;
    std::vector<std::unique_ptr<Chunk>> chunks;
    std::vector<Page *> free;
    /// Chunks without a page in use: at most one is kept.
    size_t idleChunks = 0;
  };

  // These want processMutex() held.
  Status grow(Group &group, size_t index);
  void release(Page *page);
  void removeChunk(Group &group, Chunk *chunk);
  void removeIdleChunks();

  uint64_t maxBytes;
  // Guarded by processMutex().
  std::vector<Group> groups;
  Stats numbers;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_PAGEPOOL_H
