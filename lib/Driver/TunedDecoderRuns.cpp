//===- TunedDecoderRuns.cpp - runs of a decoder ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/TunedDecoderRuns.h"

#include "lib/Driver/TunedInputs.h"

#include <algorithm>

using namespace ingot;

/// The sum that is to become less: reading a prompt of so many tokens, and then
/// so many one by one.
static constexpr size_t sumPrompt = 256, sumTokens = 128;
/// Prompts to measure with, the first that there is time for; and the tokens
/// that others are read behind, and that a run reads one by one.
static constexpr size_t promptLengths[] = {sumPrompt, 64}, usualFew = 32,
                        mostSingle = 16;
/// Positions of what is bound.
static constexpr int64_t boundLength = 128;

/// The sizes, by their numbers.
enum : size_t { tokenSize, promptSize };

size_t TunedDecoderRuns::timesIn(size_t size) const {
  return size == tokenSize ? single : 1;
}

std::vector<double> TunedDecoderRuns::sizeFactors() const {
  std::vector<double> factors = {double(sumTokens)};
  if (prompt)
    factors.push_back(double(sumPrompt) / double(prompt));
  return factors;
}

rt::Result<rt::RunOptions> TunedDecoderRuns::until(double end) {
  double left = end - now();
  if (left > 0)
    return rt::RunOptions{.timeLimit = left};
  return rt::failure(rt::Code::TimeLimit, "no time is left");
}

rt::Status TunedDecoderRuns::bind(rt::Sequence &sequence, double end) {
  const rt::StateInfo &state = sequence.state();
  const rt::Program &program = *sequence.runsOn().runsModel().entry("bind");
  llvm::StringMap<int64_t> values;
  for (const rt::Symbol &symbol : *program.symbols)
    values[symbol.name] = valueOf(symbol, 1, boundLength);
  std::vector<rt::TensorInfo> infos = *program.inputs;
  std::erase_if(infos, [&](const rt::TensorInfo &info) {
    bool isOfRows =
        info.name == state.pastInput || info.name == state.countInput;
    // There is one row, whatever it is called.
    if (isOfRows && !info.dims[0].isStatic())
      values[info.dims[0].text] = 1;
    return isOfRows;
  });
  rt::Status status;
  // Integers are ones, or zeros where the model refuses ones.
  for (int64_t integer : {1, 0}) {
    auto inputs = TunedInputs::make(infos, values, integer);
    if (!inputs.ok())
      return inputs.status();
    auto run = until(end);
    if (!run.ok())
      return run.status();
    status = sequence.bind(inputs->views(), *run);
    if (status.ok() || status.code() == rt::Code::TimeLimit)
      break;
  }
  return status;
}

rt::Status TunedDecoderRuns::read(rt::Sequence &sequence, size_t count,
                                  double end) {
  auto run = until(end);
  if (!run.ok())
    return run.status();
  rt::StepRow row{&sequence, std::span(ids).subspan(sequence.length(), count)};
  rt::StepOptions step;
  step.run = *run;
  rt::RunStats stats;
  return rt::step({&row, 1}, step, {}, stats);
}

rt::Result<TunedDecoderRuns::Start *>
TunedDecoderRuns::startOf(Variant &variant, double end) {
  auto known = starts.find(variant.number);
  if (known != starts.end())
    return &known->second;
  auto empty = rt::Sequence::create(variant.session, 0);
  if (!empty.ok())
    return empty.status();
  if (!(*empty)->state().boundInput.empty())
    if (rt::Status status = bind(**empty, end); !status.ok())
      return status;
  auto begun = (*empty)->fork();
  if (!begun.ok())
    return begun.status();
  if (few)
    if (rt::Status status = read(**begun, few, end); !status.ok())
      return status;
  return &(starts[variant.number] = {std::move(*empty), std::move(*begun)});
}

rt::Status TunedDecoderRuns::runOnce(Variant &variant, size_t size,
                                     double limit) {
  double end = now() + limit;
  auto start = startOf(variant, end);
  if (!start.ok())
    return start.status();
  bool isPrompt = size == promptSize;
  auto sequence = (isPrompt ? (*start)->empty : (*start)->begun)->fork();
  if (!sequence.ok())
    return sequence.status();
  variant.session->tracer().start();
  if (isPrompt)
    return read(**sequence, prompt, end);
  for (size_t i = 0; i < single; ++i)
    if (rt::Status status = read(**sequence, 1, end); !status.ok())
      return status;
  return {};
}

/// Whether a model reads its tokens one by one only.
static bool readsSingly(const rt::Manifest &manifest) {
  auto tokens = llvm::find_if(manifest.inputs, [&](const rt::TensorInfo &info) {
    return info.name == manifest.state->tokensInput;
  });
  return tokens->dims[1].value == 1;
}

rt::Status TunedDecoderRuns::chooseSizes(Variant &variant, double end,
                                         double longest) {
  const rt::Manifest &manifest = variant.program.manifest;
  auto vocabulary = rt::vocabulary(variant.session->runsModel());
  if (!vocabulary.ok())
    return vocabulary.status();
  size_t most = std::max(sumPrompt, usualFew + mostSingle);
  if (manifest.state->maxPositions)
    most = std::min<size_t>(most, manifest.state->maxPositions);
  for (size_t i = 0; i < most; ++i)
    ids.push_back(int64_t(i % std::max<uint64_t>(*vocabulary, 1)));
  few = std::min(usualFew, most / 2);

  auto measure = [&](size_t size, double limit) -> rt::Result<double> {
    double start = now();
    if (isCancelled())
      return rt::failure(rt::Code::TimeLimit, "cancelled");
    if (rt::Status status =
            runOnce(variant, size, std::min(limit, end - start));
        !status.ok())
      return status;
    return now() - start;
  };
  // A first run warms up.
  rt::Result<double> token = measure(tokenSize, end - now());
  if (token.ok())
    token = measure(tokenSize, longest);
  if (!token.ok())
    return token.status().code() == rt::Code::TimeLimit ? rt::Status()
                                                        : token.status();
  single = std::clamp<size_t>(size_t(longest / 2 / *token), 1,
                              std::min(mostSingle, most - few));
  texts = {"token behind " + std::to_string(few)};
  if (readsSingly(manifest))
    return {};
  for (size_t length : promptLengths) {
    prompt = std::min(length, most);
    if (measure(promptSize, longest).ok()) {
      texts.push_back("prompt of " + std::to_string(prompt));
      return {};
    }
  }
  // Tiles that tokens gain by may be bad for prompts: none are tried.
  texts.clear();
  return {};
}
