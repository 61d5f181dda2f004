//===- Sequence.h - the cached tokens of one sequence -*- C++ -*- ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A sequence is what a decoder has read so far: its token ids and, per group of
// caches, a table of pages. Rewinding, forking and windows are edits of these
// tables; only a page that is written while somebody else uses it is copied.
#ifndef INGOT_RUNTIME_CORE_SEQUENCE_H
#define INGOT_RUNTIME_CORE_SEQUENCE_H

#include "runtime/core/PagePool.h"
#include "runtime/core/Session.h"

#include <atomic>

namespace ingot::rt {

/// Used by one call at a time: take a SequenceUse first. length() alone may be
/// asked at any time.
class Sequence {
public:
  /// An empty sequence of at most `capacity` positions (0: as many as the model
  /// and memory admit). Fails if the session's model has no state.
  static Result<std::unique_ptr<Sequence>>
  create(std::shared_ptr<Session> session, uint64_t capacity);
  Sequence(const Sequence &) = delete;
  Sequence &operator=(const Sequence &) = delete;

  uint64_t length() const { return cached.load(std::memory_order_acquire); }
  /// The tokens at positions 0 to length() - 1.
  std::span<const int64_t> ids() const { return tokens; }
  /// Most positions, 0 for no limit: the smaller of capacity and the model's.
  uint64_t limit() const;
  Session &runsOn() const { return *session; }
  const StateInfo &state() const { return *layout; }

  /// Fails if `count` more tokens do not fit.
  Status checkRoom(uint64_t count) const;

  /// Fills the bound caches from inputs of the model's entry "bind", each for
  /// one row. Fails if tokens have been read. On failure nothing has changed.
  Status bind(std::span<const TensorView> inputs, const RunOptions &options);
  /// Positions of the bound caches; 0 if they are not filled.
  uint64_t boundLength() const { return bound; }
  /// Fails if the model has bound caches that are not filled.
  Status checkBound() const;

  /// Forgets all positions from `length` on. Fails if that is more than there
  /// are, or if a sliding window has let go of what they would need.
  Status truncate(uint64_t length);

  /// A sequence that goes on from here, sharing all pages.
  Result<std::unique_ptr<Sequence>> fork() const;

  /// Writes ids and pages to a file that appears only when it is complete.
  Status save(const std::string &path) const;

  /// Reads what save() wrote, for the same artifact.
  static Result<std::unique_ptr<Sequence>>
  restore(std::shared_ptr<Session> session, const std::string &path,
          uint64_t capacity);

  /// Which pages of a group reserve() is about.
  enum class Groups { KeepingAll, Sliding };

  /// Makes the pages of the next `count` positions this sequence's own, of the
  /// groups without a window or of those with one.
  Status reserve(Groups which, uint64_t count);

  /// Counts tokens whose keys and values a run has written, and lets go of the
  /// pages that lie wholly behind a window.
  void commit(std::span<const int64_t> ids);

  /// Gives reserved pages back that no token has come to use.
  void dropReserved();

  /// Addresses of a group's pages, 0 where there is none (any more).
  void writeTable(size_t group, std::span<int64_t> table) const;

private:
  friend class SequenceUse;
  Sequence(std::shared_ptr<Session> session, const StateInfo &layout,
           uint64_t capacity);

  bool isBound(size_t group) const { return state().groups[group].isBound; }
  /// Positions that a group's pages hold.
  uint64_t positionsIn(size_t group) const {
    return isBound(group) ? bound : length();
  }
  uint64_t pagesFor(uint64_t positions) const;
  uint64_t firstPage(size_t group, uint64_t length) const;
  Status makeOwn(size_t group, PagePool::Ref &page);
  Status readFile(std::span<const unsigned char> file);
  void clearBehind(size_t group, uint64_t position, unsigned char *page) const;

  std::shared_ptr<Session> session;
  /// Belongs to the session's model.
  const StateInfo *layout;
  uint64_t capacity;
  std::vector<int64_t> tokens;
  std::atomic<uint64_t> cached{0};
  uint64_t bound = 0;
  std::vector<std::vector<PagePool::Ref>> tables;
  std::atomic<bool> isUsed{false};
};

/// Keeps a sequence for one call; refuses it if another call has it.
class SequenceUse {
public:
  explicit SequenceUse(Sequence &sequence) : sequence(&sequence) {
    isHeld = !sequence.isUsed.exchange(true, std::memory_order_acquire);
  }
  SequenceUse(SequenceUse &&other) noexcept
      : sequence(other.sequence), isHeld(std::exchange(other.isHeld, false)) {}
  SequenceUse &operator=(SequenceUse &&) = delete;
  ~SequenceUse() {
    if (isHeld)
      sequence->isUsed.store(false, std::memory_order_release);
  }

  Status status() const {
    if (isHeld)
      return {};
    return failure(Code::InvalidArgument,
                   "the sequence is in use by another call, or twice in this");
  }

private:
  Sequence *sequence;
  bool isHeld;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_SEQUENCE_H
