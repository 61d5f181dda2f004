//===- Sequence.cpp - the cached tokens of one sequence -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Sequence.h"

#include <algorithm>
#include <cstring>

using namespace ingot::rt;

Sequence::Sequence(std::shared_ptr<Session> session, const StateInfo &layout,
                   uint64_t capacity)
    : session(std::move(session)), layout(&layout), capacity(capacity),
      tables(layout.groups.size()) {}

Result<std::unique_ptr<Sequence>>
Sequence::create(std::shared_ptr<Session> session, uint64_t capacity) {
  const std::optional<StateInfo> &state = session->runsModel().manifest().state;
  if (!state)
    return failure(Code::InvalidArgument,
                   "the model was not compiled for generation: it has no "
                   "state (compile it with generate)");
  return std::unique_ptr<Sequence>(
      new Sequence(std::move(session), *state, capacity));
}

//===----------------------------------------------------------------------===//
// Room
//===----------------------------------------------------------------------===//

uint64_t Sequence::limit() const {
  uint64_t model = state().maxPositions;
  return capacity && model ? std::min(capacity, model) : capacity + model;
}

Status Sequence::checkRoom(uint64_t count) const {
  uint64_t most = limit(), now = length();
  if (most == 0 || (now <= most && count <= most - now))
    return {};
  return failure(Code::SequenceFull, "the sequence holds ", now, " of at most ",
                 most, " positions (",
                 most == state().maxPositions ? "all that the model admits"
                                              : "its capacity",
                 "): ", count, " more do not fit");
}

uint64_t Sequence::pagesFor(uint64_t positions) const {
  uint64_t size = state().pagePositions;
  return positions / size + (positions % size != 0);
}

/// The first page that the query at position `length` can see; of a bound group
/// all are seen.
uint64_t Sequence::firstPage(size_t group, uint64_t length) const {
  uint64_t window = state().groups[group].window;
  if (window == 0 || length + 1 <= window)
    return 0;
  return (length + 1 - window) / state().pagePositions;
}

//===----------------------------------------------------------------------===//
// Pages
//===----------------------------------------------------------------------===//

/// Replaces a page that others use as well by a copy.
Status Sequence::makeOwn(size_t group, PagePool::Ref &page) {
  if (!page.isShared())
    return {};
  PagePool &pool = *session->pages();
  Result<PagePool::Ref> copy = pool.take(group);
  if (!copy.ok())
    return copy.status();
  std::memcpy(copy->data(), page.data(), pool.pageBytes(group));
  page = std::move(*copy);
  return {};
}

Status Sequence::reserve(Groups which, uint64_t count) {
  uint64_t now = length(), pages = pagesFor(now + count);
  for (size_t group = 0; group < tables.size(); ++group) {
    bool isSliding = state().groups[group].window > 0;
    if (isBound(group) || isSliding != (which == Groups::Sliding))
      continue;
    std::vector<PagePool::Ref> &table = tables[group];
    if (now % state().pagePositions != 0)
      if (Status status = makeOwn(group, table[pagesFor(now) - 1]);
          !status.ok())
        return status;
    table.reserve(pages);
    while (table.size() < pages) {
      Result<PagePool::Ref> page = session->pages()->take(group);
      if (!page.ok())
        return page.status();
      table.push_back(std::move(*page));
    }
  }
  return {};
}

void Sequence::commit(std::span<const int64_t> ids) {
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  for (size_t group = 0; group < tables.size(); ++group) {
    std::vector<PagePool::Ref> &table = tables[group];
    // From the last on: what is before one that is gone is gone as well.
    for (uint64_t page = firstPage(group, tokens.size());
         page > 0 && table[page - 1]; --page)
      table[page - 1].reset();
  }
  cached.store(tokens.size(), std::memory_order_release);
}

void Sequence::dropReserved() {
  for (size_t group = 0; group < tables.size(); ++group)
    if (uint64_t pages = pagesFor(positionsIn(group));
        tables[group].size() > pages)
      tables[group].resize(pages);
}

void Sequence::writeTable(size_t group, std::span<int64_t> table) const {
  const std::vector<PagePool::Ref> &pages = tables[group];
  for (size_t i = 0; i < table.size(); ++i)
    table[i] =
        i < pages.size() ? reinterpret_cast<int64_t>(pages[i].data()) : 0;
}

//===----------------------------------------------------------------------===//
// Bound caches
//===----------------------------------------------------------------------===//

Status Sequence::checkBound() const {
  if (state().boundInput.empty() || bound > 0)
    return {};
  std::string names;
  for (const TensorInfo &input : *session->runsModel().entry("bind")->inputs)
    if (input.name != state().pastInput && input.name != state().countInput)
      names += concat(names.empty() ? "'" : ", '", input.name, "'");
  return failure(Code::InvalidArgument, "the sequence has no ", names,
                 " yet: bind them before the first token");
}

/// How many positions `inputs` give bound caches.
static Result<uint64_t> lengthOf(const Program &bind, const Dim &length,
                                 std::span<const TensorView> inputs) {
  uint64_t positions = length.isStatic() ? length.value : 0;
  for (const TensorView &given : inputs)
    for (const TensorInfo &info : *bind.inputs)
      for (size_t axis = 0; axis < info.dims.size(); ++axis)
        if (info.name == given.name && !length.isStatic() &&
            info.dims[axis].text == length.text)
          positions = given.dims[axis];
  if (positions == 0)
    return failure(Code::InvalidArgument, "there is nothing to bind: '",
                   length.str(), "' is 0");
  return positions;
}

Status Sequence::bind(std::span<const TensorView> inputs,
                      const RunOptions &options) {
  const Program *program = session->runsModel().entry("bind");
  if (state().boundInput.empty() || !program)
    return failure(Code::InvalidArgument,
                   "the model has no inputs to bind: all it reads are tokens");
  if (length() > 0)
    return failure(Code::InvalidArgument, "the sequence has read ", length(),
                   " tokens: inputs are bound before the first (truncate it "
                   "to 0, or make another)");
  int64_t rows = 1, past = 0, count = 0;
  std::vector<TensorView> given(inputs.begin(), inputs.end());
  for (auto [name, value] : {std::pair(&state().pastInput, &past),
                             std::pair(&state().countInput, &count)})
    given.push_back(
        {*name, unsigned(DType::I64), {&rows, 1}, value, sizeof(int64_t)});
  // Everything about the inputs is checked before pages are taken.
  if (Result<BoundInputs> checked = bindInputs(
          *program->inputs, *program->symbols, given, BindMode::WithData);
      !checked.ok())
    return checked.status();
  Result<uint64_t> positions = lengthOf(*program, state().boundLength, inputs);
  if (!positions.ok())
    return positions.status();
  count = static_cast<int64_t>(*positions);

  std::vector<std::vector<PagePool::Ref>> fresh(tables.size());
  std::vector<int64_t> addresses(tables.size() * pagesFor(*positions));
  std::vector<const int64_t *> lists;
  int64_t *next = addresses.data();
  for (size_t group = 0; group < tables.size(); ++group) {
    lists.push_back(next);
    for (uint64_t i = 0; i < pagesFor(*positions); ++i, ++next) {
      if (!isBound(group))
        continue;
      Result<PagePool::Ref> page = session->pages()->take(group);
      if (!page.ok())
        return page.status();
      *next = reinterpret_cast<int64_t>(page->data());
      fresh[group].push_back(std::move(*page));
    }
  }
  Result<RunResult> result = session->runProgram(
      *program, given, {}, options,
      {lists.data(), static_cast<int64_t>(pagesFor(*positions))});
  if (!result.ok())
    return result.status();
  for (size_t group = 0; group < tables.size(); ++group)
    if (isBound(group))
      tables[group] = std::move(fresh[group]);
  bound = *positions;
  return {};
}

//===----------------------------------------------------------------------===//
// Editing
//===----------------------------------------------------------------------===//

Status Sequence::truncate(uint64_t newLength) {
  if (newLength > length())
    return failure(Code::InvalidArgument, "cannot truncate a sequence of ",
                   length(), " positions to ", newLength);
  for (size_t group = 0; group < tables.size(); ++group) {
    if (isBound(group))
      continue;
    uint64_t first = firstPage(group, newLength);
    if (first < pagesFor(newLength) && !tables[group][first])
      return failure(Code::InvalidArgument, "cannot truncate to ", newLength,
                     " positions: the window of ", state().groups[group].window,
                     " has let go of positions that would be seen again");
  }
  tokens.resize(newLength);
  cached.store(newLength, std::memory_order_release);
  dropReserved();
  return {};
}

Result<std::unique_ptr<Sequence>> Sequence::fork() const {
  std::unique_ptr<Sequence> copy(new Sequence(session, *layout, capacity));
  copy->tokens = tokens;
  copy->bound = bound;
  for (size_t group = 0; group < tables.size(); ++group) {
    copy->tables[group].reserve(tables[group].size());
    for (const PagePool::Ref &page : tables[group])
      copy->tables[group].push_back(page.share());
  }
  copy->cached.store(length(), std::memory_order_release);
  return copy;
}
