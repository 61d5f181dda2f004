//===- Measured.cpp - how long stages took --------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/explain/Measured.h"

#include "tools/ingot/io/Tensor.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

using namespace ingot::cli;
namespace rt = ingot::rt;
using Json = nlohmann::json;
/// What each worker did in one run.
using Lines = std::vector<std::vector<Span>>;

static Json parse(const std::string &file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    throw Error("cannot read '" + file + "'");
  Json trace = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!trace.is_object() || !trace.contains("traceEvents") ||
      !trace["traceEvents"].is_array())
    throw Error("'" + file + "' is not a trace that Ingot wrote");
  return trace;
}

/// The stage that an event names, which must be one of this program's.
static int stageOf(const Json &event, const std::vector<rt::StageInfo> &stages,
                   const std::string &file) {
  if (event.at("cat") == "wait")
    return -1;
  size_t number = event.at("args").at("stage").get<size_t>();
  if (number >= stages.size() || event.at("name") != stages[number].ops)
    throw Error("the trace '" + file + "' is of another artifact: its stage " +
                std::to_string(number) + " is '" +
                event.at("name").get<std::string>() + "'");
  return int(number);
}

/// The number of the call that an event is of; 0 for the run itself.
static size_t callOf(const Json &event) {
  auto args = event.find("args");
  return args == event.end() ? 0 : args->value("call", size_t(0));
}

Measured::Measured(const std::string &file, const std::string &program,
                   const std::vector<rt::StageInfo> &stages)
    : perStage(stages.size()) {
  Json trace = parse(file);
  std::vector<Lines> runs;
  try {
    // The spans of a run, and its calls, stand before the run itself.
    std::map<size_t, std::vector<const Json *>> spans;
    std::vector<const Json *> calls;
    for (const Json &event : trace["traceEvents"]) {
      std::string kind = event.value("cat", "");
      if (kind == "stage" || kind == "wait")
        spans[callOf(event)].push_back(&event);
      else if (kind == "call" && event.at("name") == program)
        calls.push_back(&event);
      if (kind != "run")
        continue;
      if (event.at("name") == program)
        calls.push_back(&event);
      for (const Json *call : calls) {
        Lines lines(call->at("args").at("workers").get<size_t>());
        double begin = call->at("ts");
        for (const Json *span : spans[callOf(*call)])
          lines.at(span->at("tid").get<size_t>() - 1)
              .push_back({stageOf(*span, stages, file),
                          span->at("ts").get<double>() - begin,
                          span->at("dur")});
        runs.push_back(std::move(lines));
        durations.push_back(call->at("dur"));
      }
      spans.clear();
      calls.clear();
    }
  } catch (const Json::exception &) {
    throw Error("'" + file + "' is not a trace that Ingot wrote");
  } catch (const std::out_of_range &) {
    throw Error("'" + file + "' is not a trace that Ingot wrote");
  }
  if (runs.empty())
    throw Error("the trace '" + file + "' has no run of the program '" +
                program + "'");
  choose(runs);
}

/// Takes the run of the median duration.
void Measured::choose(std::vector<Lines> &runs) {
  std::vector<size_t> order(runs.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t run) { return durations[run]; });
  chosen = order[order.size() / 2];
  lines = std::move(runs[chosen]);
  double share = 1.0 / double(std::max<size_t>(lines.size(), 1));
  for (const std::vector<Span> &line : lines) {
    double wait = 0;
    for (const Span &span : line) {
      if (span.stage < 0) {
        wait += span.duration * share;
        allWaiting += span.duration * share;
        continue;
      }
      perStage[span.stage].busy += span.duration * share;
      perStage[span.stage].wait += wait;
      wait = 0;
    }
  }
}
