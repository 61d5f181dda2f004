//===- Generator.cpp - token after token ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Generator.h"

#include "runtime/core/TokenLoop.h"

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

/// Most tokens of one run, and where windows slide: pages for them are taken
/// before it.
static constexpr uint64_t maxTokensOfRun = 512, maxTokensOfWindow = 128;

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
  uint64_t tokensAhead() const;
  bool reserve(uint64_t count);
  Status run(uint64_t count, bool &isDone);
  bool isOver(bool goesOn);
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
  /// The program that runs token after token; null where steps do.
  const Program *loop = nullptr;
  /// As it has them.
  std::vector<int64_t> stops;
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
  // The host's processor sees the logits of each step.
  if (!options.process)
    loop = tokenLoop(sequence.runsOn().runsModel());
  auto addStop = [&](std::span<const int64_t> stop) {
    // No token has such an id, and -1 is what ends a stop here.
    if (std::ranges::any_of(stop, [](int64_t id) { return id < 0; }))
      return;
    stops.insert(stops.end(), stop.begin(), stop.end());
    stops.push_back(-1);
  };
  for (int64_t id : options.stopIds)
    addStop({&id, 1});
  for (const std::vector<int64_t> &stop : options.stopSequences)
    addStop(stop);
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
  isDone = isOver(goesOn);
  return {};
}

/// Whether the last token is the end, by itself or since the host wants no
/// more.
bool Generating::isOver(bool goesOn) {
  if (stopsAt(out.ids.back()))
    return true;
  if (!goesOn)
    return endWith(Finish::Host);
  if (out.ids.size() == options.maxNewTokens)
    return endWith(Finish::Length);
  return !sequence.checkRoom(1).ok() && endWith(Finish::Full);
}

/// How many tokens one run may choose; the last of them it does not read.
uint64_t Generating::tokensAhead() const {
  bool slides =
      std::ranges::any_of(sequence.state().groups, [](const CacheGroup &group) {
        return group.window > 0;
      });
  uint64_t count = slides ? maxTokensOfWindow : maxTokensOfRun;
  if (options.maxNewTokens > 0)
    count = std::min(count, options.maxNewTokens - out.ids.size());
  if (sequence.limit() > 0)
    count = std::min(count, sequence.limit() - sequence.length() + 1);
  return count;
}

/// Takes pages for so many tokens; what it took goes back if there are not as
/// many.
bool Generating::reserve(uint64_t count) {
  using Groups = Sequence::Groups;
  if (sequence.reserve(Groups::KeepingAll, count).ok() &&
      sequence.reserve(Groups::Sliding, count).ok())
    return true;
  sequence.dropReserved();
  return false;
}

/// Chooses up to `count` tokens and reads all but the last, in one run.
Status Generating::run(uint64_t count, bool &isDone) {
  isDone = true;
  Result<RunOptions> left = remainingTime();
  if (!left.ok())
    return left.status();
  TokenLoopEnd end;
  Status status = runTokenLoop(*loop, sequence, logits, out.ids,
                               {.sampling = options.sampling,
                                .stops = stops,
                                .count = count,
                                .onToken = options.onToken,
                                .run = *left},
                               end);
  sequence.dropReserved();
  if (status.ok())
    isDone = isOver(!end.isHosts);
  return status;
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
    uint64_t count = loop ? tokensAhead() : 0;
    status =
        count > 1 && reserve(count - 1) ? run(count, isDone) : next(isDone);
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
