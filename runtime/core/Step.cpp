//===- Step.cpp - sequences read tokens -----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Step.h"

#include <algorithm>
#include <cmath>

using namespace ingot::rt;

template <typename... Parts> static Status invalid(const Parts &...parts) {
  return failure(Code::InvalidArgument, parts...);
}

static const TensorInfo &tensorOf(const std::vector<TensorInfo> &tensors,
                                  const std::string &name) {
  // checkManifest has found it.
  return *std::ranges::find(tensors, name, &TensorInfo::name);
}

Result<uint64_t> ingot::rt::vocabulary(const Model &model) {
  const std::optional<StateInfo> &state = model.manifest().state;
  if (!state)
    return invalid("the model was not compiled for generation");
  return tensorOf(model.manifest().outputs, state->logitsOutput)
      .dims.back()
      .value;
}

namespace {
/// The extents that a program admits of one dim of its tokens.
struct Extent {
  uint64_t min = 0, max = std::numeric_limits<int64_t>::max();

  Extent(const Program &program, const Dim &dim) {
    if (dim.isStatic())
      min = max = dim.value;
    for (const Symbol &symbol : *program.symbols)
      if (!dim.isStatic() && symbol.name == dim.text) {
        min = symbol.min;
        max = symbol.max;
      }
  }
  bool admits(uint64_t value) const { return min <= value && value <= max; }
};

/// A row of a step, and how far it has come.
struct Progress {
  const StepRow *row;
  /// Where its logits start, in tokens or rows.
  size_t slot;
  size_t done = 0;
  /// Tokens of the pass under way.
  size_t count = 0;

  size_t left() const { return row->tokens.size() - done; }
};

/// One step on its way.
class Stepper {
public:
  Stepper(Session &session, const StepOptions &options, std::span<float> logits,
          RunStats &stats)
      : session(session), model(session.runsModel()),
        state(*model.manifest().state), options(options), logits(logits),
        stats(stats), start(Clock::now()) {}

  Status run(std::span<const StepRow> rows);

private:
  Status check(std::span<const StepRow> rows);
  Status reserve();
  void choose(std::span<Progress> batch, uint64_t seq);
  Status pass(std::span<Progress> batch);
  Status runProgram(std::span<Progress> batch, float *target);
  void fillInputs(std::span<Progress> batch);
  void fillTables(std::span<Progress> batch);
  float *placeOf(const Progress &progress);
  bool isDirect(std::span<Progress> batch);
  void keepLogits(std::span<Progress> batch, const float *from);
  /// Whether the chosen program gives the logits of all tokens.
  bool givesAll() const { return program == model.entry("all"); }
  size_t logitsPerRow() const { return (givesAll() ? seq : 1) * vocab; }
  Result<RunOptions> remainingTime() const;

  Session &session;
  const Model &model;
  const StateInfo &state;
  const StepOptions &options;
  std::span<float> logits;
  RunStats &stats;
  Clock::time_point start;

  std::vector<Progress> all;
  const Program *program = nullptr;
  uint64_t vocab = 0;
  /// Extents of the pass, padding included.
  uint64_t rowCount = 0, seq = 0;
  std::vector<int64_t> past, count, bound, table;
  std::vector<unsigned char> tokens;
  std::vector<const int64_t *> tables;
  int64_t pagesPerRow = 0;
  std::vector<float> scratch;
};
} // namespace

//===----------------------------------------------------------------------===//
// Before the first pass
//===----------------------------------------------------------------------===//

Status Stepper::check(std::span<const StepRow> rows) {
  if (std::isnan(options.run.timeLimit) || options.run.timeLimit < 0)
    return invalid("the time limit is ", options.run.timeLimit, " seconds");
  Result<uint64_t> size = vocabulary(model);
  if (!size.ok())
    return size.status();
  vocab = *size;
  const TensorInfo &info = tensorOf(model.manifest().inputs, state.tokensInput);
  bool isNarrow = info.dtype == DType::I32;
  int64_t most = isNarrow ? std::numeric_limits<int32_t>::max()
                          : std::numeric_limits<int64_t>::max();
  size_t total = 0, longest = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const StepRow &row = rows[i];
    auto inRow = [&](const Status &status) {
      return rows.size() == 1
                 ? status
                 : failure(status.code(), "row ", i, ": ", status.message());
    };
    if (&row.sequence->runsOn() != &session)
      return invalid("the sequences are of different sessions");
    if (row.tokens.empty())
      return invalid("row ", i, " has no tokens");
    for (int64_t token : row.tokens)
      if (token < 0 || token > most)
        return invalid("row ", i, " has the token id ", token);
    if (Status status = row.sequence->checkRoom(row.tokens.size());
        !status.ok())
      return inRow(status);
    if (Status status = row.sequence->checkBound(); !status.ok())
      return inRow(status);
    all.push_back({&row, options.allLogits ? total : i});
    total += row.tokens.size();
    longest = std::max(longest, row.tokens.size());
  }
  // A program for one token a row gives them one by one.
  if (options.allLogits && longest > 1 && !model.entry("all") &&
      Extent(model.program(), info.dims[1]).max > 1)
    return invalid("the artifact has no entry for the logits of all tokens, "
                   "only for those of the last one");
  size_t wanted = (options.allLogits ? total : rows.size()) * vocab;
  if (!logits.empty() && logits.size() != wanted)
    return invalid("room for ", logits.size(), " logits, expected ", wanted);
  return {};
}

/// Takes what the whole step needs, so that want of memory shows before
/// anything is written. Pages of sliding windows come and go from pass to pass.
Status Stepper::reserve() {
  for (const Progress &progress : all)
    if (Status status = progress.row->sequence->reserve(
            Sequence::Groups::KeepingAll, progress.row->tokens.size());
        !status.ok())
      return status;
  return {};
}

//===----------------------------------------------------------------------===//
// A pass
//===----------------------------------------------------------------------===//

/// Chooses the program and the extents for a batch that takes at most `limit`
/// tokens of each row.
void Stepper::choose(std::span<Progress> batch, uint64_t limit) {
  seq = 0;
  for (Progress &progress : batch) {
    progress.count = std::min<uint64_t>(progress.left(), limit);
    seq = std::max<uint64_t>(seq, progress.count);
  }
  rowCount = batch.size();
  program = &model.program();
  // The logits of all tokens of a row are those of its last if it has one.
  if (seq > 1 && options.allLogits) {
    program = model.entry("all");
  } else if (const Program *decode = model.entry("decode");
             decode && seq == 1) {
    const TensorInfo &info = tensorOf(*decode->inputs, state.tokensInput);
    if (Extent(*decode, info.dims[0]).admits(rowCount) &&
        Extent(*decode, info.dims[1]).admits(1))
      program = decode;
  }
  const TensorInfo &info = tensorOf(*program->inputs, state.tokensInput);
  rowCount = std::max(rowCount, Extent(*program, info.dims[0]).min);
  seq = std::max(seq, Extent(*program, info.dims[1]).min);
}

template <typename T>
static void fillTokens(std::span<const Progress> batch, uint64_t rows,
                       uint64_t seq, std::vector<unsigned char> &bytes) {
  bytes.assign(rows * seq * sizeof(T), 0);
  T *next = reinterpret_cast<T *>(bytes.data());
  for (const Progress &progress : batch) {
    auto from = progress.row->tokens.subspan(progress.done, progress.count);
    std::transform(from.begin(), from.end(), next,
                   [](int64_t token) { return static_cast<T>(token); });
    next += seq;
  }
}

void Stepper::fillInputs(std::span<Progress> batch) {
  if (tensorOf(*program->inputs, state.tokensInput).dtype == DType::I32)
    fillTokens<int32_t>(batch, rowCount, seq, tokens);
  else
    fillTokens<int64_t>(batch, rowCount, seq, tokens);
  // Rows that fill up a fixed batch have nothing cached and read nothing.
  past.assign(rowCount, 0);
  count.assign(rowCount, 0);
  bound.assign(rowCount, 0);
  for (size_t i = 0; i < batch.size(); ++i) {
    past[i] = batch[i].row->sequence->length();
    count[i] = batch[i].count;
    bound[i] = batch[i].row->sequence->boundLength();
  }
}

void Stepper::fillTables(std::span<Progress> batch) {
  pagesPerRow = 1;
  int64_t size = state.pagePositions;
  for (size_t i = 0; i < batch.size(); ++i)
    for (int64_t positions : {past[i] + count[i], bound[i]})
      pagesPerRow = std::max(pagesPerRow, (positions + size - 1) / size);
  size_t groups = state.groups.size();
  table.assign(groups * rowCount * pagesPerRow, 0);
  tables.clear();
  std::span<int64_t> next = table;
  for (size_t group = 0; group < groups; ++group) {
    tables.push_back(next.data());
    for (size_t i = 0; i < batch.size(); ++i)
      batch[i].row->sequence->writeTable(
          group, next.subspan(i * pagesPerRow, pagesPerRow));
    next = next.subspan(rowCount * pagesPerRow);
  }
}

/// Where the first of a row's logits of this pass belong; null if they are not
/// wanted.
float *Stepper::placeOf(const Progress &progress) {
  if (logits.empty() ||
      (!options.allLogits && progress.left() > progress.count))
    return nullptr;
  size_t slot = progress.slot + (options.allLogits ? progress.done : 0);
  return logits.data() + slot * vocab;
}

/// Whether the pass may write its logits to where the step wants them: all of
/// them are wanted and lie there as the program writes them.
bool Stepper::isDirect(std::span<Progress> batch) {
  float *first = placeOf(batch[0]);
  if (!first || rowCount != batch.size())
    return false;
  if (givesAll())
    return batch.size() == 1 && seq == batch[0].count;
  for (size_t i = 0; i < batch.size(); ++i)
    if (placeOf(batch[i]) != first + i * vocab)
      return false;
  return true;
}

/// Copies the logits that the step wants of a pass's.
void Stepper::keepLogits(std::span<Progress> batch, const float *from) {
  for (const Progress &progress : batch) {
    if (float *to = placeOf(progress))
      std::copy_n(from, (givesAll() ? progress.count : 1) * vocab, to);
    from += logitsPerRow();
  }
}

Result<RunOptions> Stepper::remainingTime() const {
  RunOptions run = options.run;
  if (run.timeLimit > 0) {
    run.timeLimit -=
        std::chrono::duration<double>(Clock::now() - start).count();
    if (run.timeLimit <= 0)
      return failure(Code::TimeLimit, "the run's time limit has passed");
  }
  return run;
}

/// Runs the chosen program on the batch, its logits going to `target`.
Status Stepper::runProgram(std::span<Progress> batch, float *target) {
  Result<RunOptions> run = remainingTime();
  if (!run.ok())
    return run.status();
  fillInputs(batch);
  fillTables(batch);
  const TensorInfo &info = tensorOf(*program->inputs, state.tokensInput);
  auto rows = static_cast<int64_t>(rowCount);
  int64_t shape[] = {rows, static_cast<int64_t>(seq)};
  unsigned i64 = unsigned(DType::I64);
  size_t lengthBytes = rowCount * sizeof(int64_t);
  TensorView lowered[] = {
      {info.name, unsigned(info.dtype), shape, tokens.data(), tokens.size()},
      {state.pastInput, i64, {&rows, 1}, past.data(), lengthBytes},
      {state.countInput, i64, {&rows, 1}, count.data(), lengthBytes},
      {state.boundInput, i64, {&rows, 1}, bound.data(), lengthBytes}};
  std::span<const TensorView> inputs(lowered, state.boundInput.empty() ? 3 : 4);
  TensorView output;
  output.name = state.logitsOutput;
  output.data = target;
  output.bytes = rowCount * logitsPerRow() * sizeof(float);
  Result<RunResult> result = session.runProgram(
      *program, inputs, {&output, 1}, *run, {tables.data(), pagesPerRow});
  if (!result.ok())
    return result.status();
  if (result->outputs[0].bytes != output.bytes)
    return failure(Code::Internal, "the program computed ",
                   result->outputs[0].bytes, " bytes of logits, expected ",
                   output.bytes);
  stats.waitMilliseconds += result->stats.waitMilliseconds;
  stats.arenaBytes = std::max(stats.arenaBytes, result->stats.arenaBytes);
  stats.workers = result->stats.workers;
  return {};
}

Status Stepper::pass(std::span<Progress> batch) {
  for (Progress &progress : batch)
    if (Status status = progress.row->sequence->reserve(
            Sequence::Groups::Sliding, progress.count);
        !status.ok())
      return status;
  if (isDirect(batch)) {
    if (Status status = runProgram(batch, placeOf(batch[0])); !status.ok())
      return status;
  } else {
    scratch.resize(rowCount * logitsPerRow());
    if (Status status = runProgram(batch, scratch.data()); !status.ok())
      return status;
    keepLogits(batch, scratch.data());
  }
  for (Progress &progress : batch) {
    progress.row->sequence->commit(
        progress.row->tokens.subspan(progress.done, progress.count));
    progress.done += progress.count;
  }
  return {};
}

Status Stepper::run(std::span<const StepRow> rows) {
  if (Status status = check(rows); !status.ok())
    return status;
  if (Status status = reserve(); !status.ok())
    return status;
  const Program &widest = options.allLogits && model.entry("all")
                              ? *model.entry("all")
                              : model.program();
  const TensorInfo &info = tensorOf(*widest.inputs, state.tokensInput);
  uint64_t chunk = options.chunk ? options.chunk : defaultChunk;
  uint64_t maxRows = std::max<uint64_t>(Extent(widest, info.dims[0]).max, 1);
  uint64_t maxSeq = std::max<uint64_t>(Extent(widest, info.dims[1]).max, 1);

  std::vector<Progress> active = all;
  while (!active.empty()) {
    for (size_t first = 0; first < active.size(); first += maxRows) {
      std::span<Progress> batch = std::span(active).subspan(
          first, std::min<uint64_t>(maxRows, active.size() - first));
      uint64_t share = std::max<uint64_t>(chunk / batch.size(), 1);
      choose(batch, std::min(share, maxSeq));
      if (Status status = pass(batch); !status.ok())
        return status;
    }
    std::erase_if(active,
                  [](const Progress &progress) { return !progress.left(); });
  }
  stats.milliseconds =
      std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return {};
}

namespace {
/// Gives reserved pages back however a step ends.
class ReservationEnd {
public:
  explicit ReservationEnd(std::span<const StepRow> rows) : rows(rows) {}
  ReservationEnd(const ReservationEnd &) = delete;
  ReservationEnd &operator=(const ReservationEnd &) = delete;
  ~ReservationEnd() {
    for (const StepRow &row : rows)
      row.sequence->dropReserved();
  }

private:
  std::span<const StepRow> rows;
};
} // namespace

Status ingot::rt::step(std::span<const StepRow> rows,
                       const StepOptions &options, std::span<float> logits,
                       RunStats &stats) {
  stats = {};
  if (rows.empty())
    return invalid("a step without rows");
  ReservationEnd end(rows);
  return Stepper(rows[0].sequence->runsOn(), options, logits, stats).run(rows);
}
