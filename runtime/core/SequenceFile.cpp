//===- SequenceFile.cpp - saving and restoring a sequence -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The file: a header, the token ids (i64), and for each group its pages from
// the first that the window still sees to the last, each behind a checksum. Of
// bound caches all pages are there.
// What lies behind the last position is written as zeros, so that the same
// sequence gives the same bytes and none of somebody else's leave the process.
#include "runtime/core/Format.h"
#include "runtime/core/NewFile.h"
#include "runtime/core/Sequence.h"

#include <algorithm>

using namespace ingot::rt;

static constexpr char magic[8] = {'I', 'N', 'G', 'O', 'T', 'S', 'E', 'Q'};
static constexpr uint32_t fileVersion = 2;

namespace {
struct FileHeader {
  char magic[8] = {};
  uint32_t version = fileVersion;
  /// No flag is defined: must be 0.
  uint32_t flags = 0;
  /// Of the artifact, and of how its pages are laid out.
  uint64_t identity = 0, layout = 0;
  /// Tokens, and positions of bound caches.
  uint64_t length = 0, bound = 0;
  uint64_t fileSize = 0;
  uint64_t idsChecksum = 0;
  /// Checksum of the bytes before this field.
  uint64_t headerChecksum = 0;
};
static_assert(sizeof(FileHeader) == 72);
} // namespace

static std::span<const unsigned char> bytesOf(const void *data, size_t size) {
  return {static_cast<const unsigned char *>(data), size};
}

static uint64_t headerSum(const FileHeader &header) {
  return checksum(bytesOf(&header, offsetof(FileHeader, headerChecksum)));
}

/// A number for how the pages are laid out.
static uint64_t layoutOf(const StateInfo &state) {
  std::vector<uint64_t> words = {state.pagePositions, state.groups.size()};
  for (const CacheGroup &group : state.groups)
    words.insert(words.end(), {group.window, group.pageBytes, group.isBound});
  for (const CacheInfo &cache : state.caches)
    words.insert(words.end(),
                 {cache.group, cache.heads, cache.keyDepth, cache.valueDepth,
                  static_cast<uint64_t>(cache.dtype), cache.keyOffset,
                  cache.valueOffset});
  return checksum(bytesOf(words.data(), words.size() * sizeof(uint64_t)));
}

/// Zeroes a page from a position on.
void Sequence::clearBehind(size_t group, uint64_t position,
                           unsigned char *page) const {
  uint64_t size = state().pagePositions;
  for (const CacheInfo &cache : state().caches) {
    if (cache.group != group)
      continue;
    uint64_t element = elementBytes(cache.dtype);
    // Positions are the innermost dim of keys and the second of values.
    for (uint64_t row = 0; row < cache.heads * cache.keyDepth; ++row)
      std::memset(page + cache.keyOffset + (row * size + position) * element, 0,
                  (size - position) * element);
    for (uint64_t head = 0; head < cache.heads; ++head)
      std::memset(page + cache.valueOffset +
                      (head * size + position) * cache.valueDepth * element,
                  0, (size - position) * cache.valueDepth * element);
  }
}

//===----------------------------------------------------------------------===//
// Saving
//===----------------------------------------------------------------------===//

Status Sequence::save(const std::string &path) const {
  const PagePool &pool = *session->pages();
  FileHeader header;
  std::memcpy(header.magic, magic, sizeof(magic));
  header.identity = session->runsModel().artifact().identity();
  header.layout = layoutOf(state());
  header.length = length();
  header.bound = bound;
  size_t idBytes = tokens.size() * sizeof(int64_t);
  header.fileSize = sizeof(header) + idBytes;
  for (size_t group = 0; group < tables.size(); ++group)
    header.fileSize +=
        (pagesFor(positionsIn(group)) - firstPage(group, length())) *
        (sizeof(uint64_t) + pool.pageBytes(group));
  header.idsChecksum = checksum(bytesOf(tokens.data(), idBytes));
  header.headerChecksum = headerSum(header);

  NewFile file(path);
  if (Status status = file.open(NewFile::Access::Private); !status.ok())
    return status;
  if (Status status = file.write(&header, sizeof(header)); !status.ok())
    return status;
  if (Status status = file.write(tokens.data(), idBytes); !status.ok())
    return status;
  for (size_t group = 0; group < tables.size(); ++group) {
    std::vector<unsigned char> page(pool.pageBytes(group));
    uint64_t positions = positionsIn(group);
    for (uint64_t i = firstPage(group, length()); i < pagesFor(positions);
         ++i) {
      std::memcpy(page.data(), tables[group][i].data(), page.size());
      if (uint64_t used = positions - i * state().pagePositions;
          used < state().pagePositions)
        clearBehind(group, used, page.data());
      uint64_t sum = checksum(page);
      if (Status status = file.write(&sum, sizeof(sum)); !status.ok())
        return status;
      if (Status status = file.write(page.data(), page.size()); !status.ok())
        return status;
    }
  }
  return file.finish();
}

//===----------------------------------------------------------------------===//
// Restoring
//===----------------------------------------------------------------------===//

template <typename... Parts> static Status corrupt(const Parts &...parts) {
  return failure(Code::CorruptArtifact, parts...);
}

/// Fills an empty sequence from a file that may hold anything.
Status Sequence::readFile(std::span<const unsigned char> file) {
  FileHeader header;
  if (file.size() < sizeof(header))
    return corrupt("not a saved sequence (only ", file.size(), " bytes)");
  std::memcpy(&header, file.data(), sizeof(header));
  if (std::memcmp(header.magic, magic, sizeof(magic)) != 0)
    return corrupt("not a saved sequence (wrong magic)");
  if (header.version != fileVersion)
    return failure(Code::UnsupportedVersion, "format version ", header.version,
                   ", but this runtime reads version ", fileVersion);
  if (header.headerChecksum != headerSum(header))
    return corrupt("the header is damaged (checksum differs)");
  if (header.flags != 0)
    return failure(Code::UnsupportedVersion, "unknown flags ", header.flags);
  if (header.fileSize != file.size())
    return corrupt("the file has ", file.size(), " bytes, but its header says ",
                   header.fileSize);
  if (header.identity != session->runsModel().artifact().identity() ||
      header.layout != layoutOf(state()))
    return failure(Code::InvalidArgument,
                   "it was saved from another artifact than '",
                   session->runsModel().artifact().name(), "'");

  file = file.subspan(sizeof(header));
  if (header.length > file.size() / sizeof(int64_t))
    return corrupt("the token ids end outside the file");
  std::span<const unsigned char> ids =
      file.first(header.length * sizeof(int64_t));
  if (checksum(ids) != header.idsChecksum)
    return corrupt("the token ids are damaged (checksum differs)");
  if (Status status = checkRoom(header.length); !status.ok())
    return status;
  if (header.bound > 0 && state().boundInput.empty())
    return corrupt("it has ", header.bound,
                   " positions of bound caches, which the model has not");
  tokens.resize(header.length);
  if (!ids.empty())
    std::memcpy(tokens.data(), ids.data(), ids.size());
  file = file.subspan(ids.size());

  PagePool &pool = *session->pages();
  for (size_t group = 0; group < tables.size(); ++group) {
    size_t bytes = pool.pageBytes(group);
    uint64_t positions = isBound(group) ? header.bound : header.length;
    tables[group].resize(firstPage(group, header.length));
    while (tables[group].size() < pagesFor(positions)) {
      uint64_t sum = 0;
      if (file.size() < sizeof(sum) || file.size() - sizeof(sum) < bytes)
        return corrupt("the pages end outside the file");
      std::memcpy(&sum, file.data(), sizeof(sum));
      Result<PagePool::Ref> page = pool.take(group);
      if (!page.ok())
        return page.status();
      // Copied before it is checked, as somebody might write to the file.
      std::memcpy(page->data(), file.data() + sizeof(sum), bytes);
      if (checksum({page->data(), bytes}) != sum)
        return corrupt("page ", tables[group].size(),
                       " is damaged (checksum differs)");
      tables[group].push_back(std::move(*page));
      file = file.subspan(sizeof(sum) + bytes);
    }
  }
  if (!file.empty())
    return corrupt(file.size(), " bytes too many");
  bound = header.bound;
  cached.store(header.length, std::memory_order_release);
  return {};
}

Result<std::unique_ptr<Sequence>>
Sequence::restore(std::shared_ptr<Session> session, const std::string &path,
                  uint64_t capacity) {
  Result<std::unique_ptr<Sequence>> made = create(std::move(session), capacity);
  if (!made.ok())
    return made;
  Result<Mapping> file = Mapping::readFile(path);
  if (!file.ok())
    return file.status();
  if (Status status = (*made)->readFile(file->bytes()); !status.ok())
    return failure(status.code(), "cannot restore '", path,
                   "': ", status.message());
  return made;
}
