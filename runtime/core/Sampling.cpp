//===- Sampling.cpp - from logits to the next token -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Sampling.h"

#include <limits>

using namespace ingot::rt;

static constexpr double infinity = std::numeric_limits<double>::infinity();

Status ingot::rt::checkSampler(const SamplerOptions &options) {
  auto bad = [](std::string_view name, double value, std::string_view range) {
    return failure(Code::InvalidArgument, name, " is ", value, ", expected ",
                   range);
  };
  if (!(options.temperature >= 0 && options.temperature < infinity))
    return bad("temperature", options.temperature, "0 or more");
  if (!(options.topP > 0 && options.topP <= 1))
    return bad("top_p", options.topP, "more than 0 and at most 1");
  if (!(options.minP >= 0 && options.minP <= 1))
    return bad("min_p", options.minP, "0 to 1");
  if (!(options.repetitionPenalty > 0 && options.repetitionPenalty < infinity))
    return bad("repetition_penalty", options.repetitionPenalty, "more than 0");
  return {};
}

/// Names `data` for a program; it is only read.
template <typename T>
static TensorView viewOf(std::string_view name, DType dtype,
                         std::span<const T> data, const int64_t &count) {
  return {name,
          unsigned(dtype),
          {&count, 1},
          const_cast<T *>(data.data()),
          data.size_bytes()};
}

SamplerNumbers::SamplerNumbers(const SamplerOptions &options, uint64_t position,
                               uint64_t historyCount)
    : reals{options.temperature, options.topP, options.minP,
            options.repetitionPenalty},
      integers{static_cast<int64_t>(options.topK),
               static_cast<int64_t>(options.seed),
               static_cast<int64_t>(position),
               static_cast<int64_t>(historyCount)} {}

Status ingot::rt::samplerRefusal(int64_t id, int64_t kind) {
  if (kind == 3)
    return failure(Code::RuntimeCheck,
                   "no token is allowed: every logit is -infinity");
  return failure(Code::RuntimeCheck, "the logit of token id ", id, " is ",
                 kind == 1 ? "not a number" : "infinite");
}

Result<int64_t> ingot::rt::sample(Session &session,
                                  std::span<const float> logits,
                                  std::span<const int64_t> history,
                                  const SamplerOptions &options,
                                  uint64_t position, const RunOptions &run) {
  const Program *program = session.runsModel().entry("sample");
  if (!program)
    return failure(Code::InvalidArgument,
                   "the model was not compiled for generation");
  const SamplerNumbers numbers(options, position, history.size());
  int64_t counts[] = {static_cast<int64_t>(logits.size()),
                      static_cast<int64_t>(history.size()), 4, 4};
  const TensorView inputs[] = {
      viewOf("logits", DType::F32, logits, counts[0]),
      viewOf("history", DType::I64, history, counts[1]),
      viewOf<double>("reals", DType::F64, numbers.reals, counts[2]),
      viewOf<int64_t>("numbers", DType::I64, numbers.integers, counts[3])};
  int64_t token[2] = {};
  TensorView output;
  output.name = "token";
  output.data = token;
  output.bytes = sizeof token;
  Result<RunResult> result =
      session.runProgram(*program, inputs, {&output, 1}, run, {});
  if (!result.ok())
    return result.status();
  if (token[1] != 0)
    return samplerRefusal(token[0], token[1]);
  return token[0];
}
