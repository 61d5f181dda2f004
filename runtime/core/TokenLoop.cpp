//===- TokenLoop.cpp - token after token in one run -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/TokenLoop.h"

#include <algorithm>
#include <array>
#include <deque>

using namespace ingot::rt;

/// Whether a dim may be 1.
static bool admitsOne(const Program &program, const Dim &dim) {
  if (dim.isStatic())
    return dim.value == 1;
  return std::ranges::none_of(*program.symbols, [&](const Symbol &symbol) {
    return symbol.name == dim.text && symbol.min > 1;
  });
}

const Program *ingot::rt::tokenLoop(const Model &model) {
  const Program *program = model.entry("generate");
  if (!program)
    return nullptr;
  const std::optional<StateInfo> &state = model.manifest().state;
  if (!state)
    return nullptr;
  const std::string &tokens = state->tokensInput;
  for (const TensorInfo &input : *model.entry("decode")->inputs)
    if (input.name == tokens &&
        !std::ranges::all_of(input.dims, [&](const Dim &dim) {
          return admitsOne(*model.entry("decode"), dim);
        }))
      return nullptr;
  return program;
}

namespace {

/// What a turn says of itself: ingot.progress of the program.
enum class TurnEnd : int64_t {
  None = 0,
  Stop = 1,
  Host = 2,
  Count = 3,
  Refused = 4
};

/// The memory of a run that the program shares, as tensors of it.
class SharedTensors {
public:
  template <typename T>
  void add(std::string_view name, DType dtype, std::span<T> data,
           size_t rank = 1) {
    auto count = static_cast<int64_t>(data.size());
    // One row: leading dims are 1.
    shapes.push_back({1, 1});
    shapes.back()[rank - 1] = count;
    tensors.push_back({name,
                       unsigned(dtype),
                       {shapes.back().data(), rank},
                       data.data(),
                       data.size_bytes()});
  }
  std::span<const TensorView> all() const { return tensors; }
  /// Those of a called program: by what they are called there.
  std::vector<TensorView> of(const Program &called,
                             const std::string &logits) const {
    std::vector<TensorView> given;
    for (const TensorInfo &input : *called.inputs)
      for (TensorView tensor : tensors) {
        bool isLogits = input.name == "logits" && tensor.name == logits &&
                        input.dims.size() == 1;
        if (isLogits)
          tensor.dims = tensor.dims.last(1);
        if (!isLogits && tensor.name != input.name &&
            tensor.name != "ingot." + input.name)
          continue;
        tensor.name = input.name;
        given.push_back(tensor);
        break;
      }
    return given;
  }

private:
  std::deque<std::array<int64_t, 2>> shapes;
  std::vector<TensorView> tensors;
};

/// The page tables of one row for its next tokens.
class RowTables {
public:
  RowTables(const Sequence &sequence, uint64_t positions) {
    size_t groups = sequence.state().groups.size();
    uint64_t size = sequence.state().pagePositions;
    positions = std::max({positions, sequence.boundLength(), uint64_t(1)});
    pages = (positions + size - 1) / size;
    table.resize(groups * pages);
    for (size_t group = 0; group < groups; ++group) {
      std::span<int64_t> own = std::span(table).subspan(group * pages, pages);
      sequence.writeTable(group, own);
      lists.push_back(own.data());
    }
  }
  PageTables get() const { return {lists.data(), static_cast<int64_t>(pages)}; }

private:
  uint64_t pages = 1;
  std::vector<int64_t> table;
  std::vector<const int64_t *> lists;
};

} // namespace

Status ingot::rt::runTokenLoop(const Program &program, Sequence &sequence,
                               std::span<float> logits,
                               std::vector<int64_t> &ids,
                               const TokenLoopOptions &options,
                               TokenLoopEnd &end) {
  const StateInfo &state = sequence.state();
  uint64_t length = sequence.length(), before = ids.size();
  // Nobody looks at what was read before unless it is penalized.
  std::vector<int64_t> history;
  if (options.sampling.repetitionPenalty != 1) {
    history.assign(sequence.ids().begin(), sequence.ids().end());
    history.resize(length + options.count);
  }
  SamplerNumbers numbers(options.sampling, length,
                         history.empty() ? 0 : length);
  int64_t past = length, count = 1, bound = sequence.boundLength();
  int64_t wide = 0, token[2] = {}, progress[4] = {};
  int32_t narrow = 0;
  std::vector<int64_t> stops(options.stops.begin(), options.stops.end());
  ids.resize(before + options.count);
  progress[1] = static_cast<int64_t>(before);
  progress[2] = static_cast<int64_t>(ids.size());

  SharedTensors shared;
  auto addNumbers = [&](std::string_view name, std::span<int64_t> data) {
    shared.add(name, DType::I64, data);
  };
  auto isNarrow = [&](const TensorInfo &input) {
    return input.name == state.tokensInput && input.dtype == DType::I32;
  };
  if (std::ranges::any_of(*program.inputs, isNarrow))
    shared.add(state.tokensInput, DType::I32, std::span(&narrow, 1), 2);
  else
    shared.add(state.tokensInput, DType::I64, std::span(&wide, 1), 2);
  addNumbers(state.pastInput, {&past, 1});
  addNumbers(state.countInput, {&count, 1});
  if (!state.boundInput.empty())
    addNumbers(state.boundInput, {&bound, 1});
  shared.add(state.logitsOutput, DType::F32, logits, 2);
  addNumbers("ingot.history", history);
  shared.add("ingot.reals", DType::F64, std::span<double>(numbers.reals));
  addNumbers("ingot.numbers", numbers.integers);
  addNumbers("ingot.token", token);
  addNumbers("ingot.stops", stops);
  addNumbers("ingot.chosen", ids);
  addNumbers("ingot.progress", progress);

  std::vector<std::vector<TensorView>> given;
  std::vector<std::span<const TensorView>> inputs;
  given.reserve(program.calls.size());
  inputs.reserve(program.calls.size());
  for (const Program *called : program.calls)
    given.push_back(shared.of(*called, state.logitsOutput));
  for (const std::vector<TensorView> &tensors : given)
    inputs.emplace_back(tensors);

  // A token that is handed out follows one that has been read.
  std::optional<int64_t> unread;
  auto commit = [&] {
    if (unread)
      sequence.commit({&*unread, 1});
    unread.reset();
  };
  auto tell = [&](int64_t id) {
    commit();
    unread = id;
    return !options.onToken || options.onToken(id);
  };
  RowTables tables(sequence, length + options.count - 1);
  Result<RunResult> result = sequence.runsOn().runProgram(
      program, shared.all(), {}, options.run, tables.get(), {inputs, tell});
  ids.resize(progress[1]);
  if (!result.ok())
    return result.status();
  end.arenaBytes = result->stats.arenaBytes;
  end.isHosts = TurnEnd(progress[0]) == TurnEnd::Host;
  if (TurnEnd(progress[0]) != TurnEnd::Refused)
    return {};
  commit();
  return samplerRefusal(token[0], token[1]);
}
