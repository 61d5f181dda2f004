//===- Generator.cpp - token after token ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Generator.h"

#include <algorithm>
#include <cmath>

using namespace ingot::rt;

template <typename... Parts> static Status invalid(const Parts &...parts) {
  return failure(Code::InvalidArgument, parts...);
}

static double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

namespace {
/// One generation on its way.
class Generating {
public:
  Generating(Sequence &sequence, const GenerateOptions &options,
             Generation &out)
      : sequence(sequence), options(options), out(out), start(Clock::now()) {}

  Status run(std::span<const int64_t> prompt);

private:
  Status check(std::span<const int64_t> prompt);
  Status read(std::span<const int64_t> tokens);
  Status next(bool &isDone);
  Result<RunOptions> remainingTime() const;
  bool stopsAt(int64_t id);
  bool endWith(Finish finish, size_t stopTokens = 0) {
    out.finish = finish;
    out.stopTokens = stopTokens;
    return true;
  }

  Sequence &sequence;
  const GenerateOptions &options;
  Generation &out;
  Clock::time_point start;
  std::vector<float> logits;
};
} // namespace

Status Generating::check(std::span<const int64_t> prompt) {
  if (Status status = checkSampler(options.sampling); !status.ok())
    return status;
  if (std::isnan(options.run.timeLimit) || options.run.timeLimit < 0)
    return invalid("the time limit is ", options.run.timeLimit, " seconds");
  if (prompt.empty())
    return invalid("the prompt has no tokens");
  if (options.maxNewTokens == 0 && sequence.limit() == 0)
    return invalid("nothing limits the generation: neither max_new_tokens nor "
                   "the sequence's capacity is given");
  for (const std::vector<int64_t> &stop : options.stopSequences)
    if (stop.empty())
      return invalid("a stop sequence has no ids");
  Result<uint64_t> vocab = vocabulary(sequence.runsOn().runsModel());
  if (!vocab.ok())
    return vocab.status();
  logits.resize(*vocab);
  return {};
}

Result<RunOptions> Generating::remainingTime() const {
  RunOptions run = options.run;
  if (run.timeLimit > 0) {
    run.timeLimit -= millisecondsSince(start) / 1000;
    if (run.timeLimit <= 0)
      return failure(Code::TimeLimit, "the time limit has passed");
  }
  return run;
}

Status Generating::read(std::span<const int64_t> tokens) {
  StepRow row = {&sequence, tokens};
  Result<RunOptions> run = remainingTime();
  if (!run.ok())
    return run.status();
  StepOptions step;
  step.run = *run;
  step.chunk = options.chunk;
  RunStats stats;
  return ingot::rt::step({&row, 1}, step, logits, stats);
}

/// Whether the token that has just been generated ends the generation.
bool Generating::stopsAt(int64_t id) {
  size_t longest = 0;
  for (const std::vector<int64_t> &stop : options.stopSequences)
    if (stop.size() <= out.ids.size() &&
        std::ranges::equal(stop, std::span(out.ids).last(stop.size())))
      longest = std::max(longest, stop.size());
  if (longest > 0)
    return endWith(Finish::StopSequence, longest);
  if (std::ranges::find(options.stopIds, id) != options.stopIds.end())
    return endWith(Finish::StopId, 1);
  return false;
}

/// Chooses a token by the logits and hands it out.
Status Generating::next(bool &isDone) {
  isDone = true;
  if (options.process && !options.process(sequence.ids(), logits)) {
    endWith(Finish::Host);
    return {};
  }
  Result<RunOptions> run = remainingTime();
  if (!run.ok())
    return run.status();
  // Nobody looks at what was read before unless it is penalized.
  std::span<const int64_t> history;
  if (options.sampling.repetitionPenalty != 1)
    history = sequence.ids();
  Result<int64_t> id = sample(sequence.runsOn(), logits, history,
                              options.sampling, sequence.length(), *run);
  if (!id.ok())
    return id.status();
  out.ids.push_back(*id);
  bool goesOn = !options.onToken || options.onToken(*id);
  if (stopsAt(*id))
    return {};
  if (!goesOn)
    endWith(Finish::Host);
  else if (out.ids.size() == options.maxNewTokens)
    endWith(Finish::Length);
  else if (!sequence.checkRoom(1).ok())
    endWith(Finish::Full);
  else
    isDone = false;
  return {};
}

Status Generating::run(std::span<const int64_t> prompt) {
  if (Status status = check(prompt); !status.ok())
    return status;
  // Until something else is known.
  out.finish = Finish::Interrupted;
  Status status = read(prompt);
  out.prefillMilliseconds = millisecondsSince(start);
  if (!status.ok())
    return status;
  out.promptTokens = prompt.size();
  bool isDone = false;
  while (status.ok()) {
    status = next(isDone);
    if (!status.ok() || isDone)
      break;
    int64_t id = out.ids.back();
    status = read({&id, 1});
  }
  out.decodeMilliseconds = millisecondsSince(start) - out.prefillMilliseconds;
  return status;
}

Status ingot::rt::generate(Sequence &sequence, std::span<const int64_t> prompt,
                           const GenerateOptions &options, Generation &out) {
  out = {};
  return Generating(sequence, options, out).run(prompt);
}
