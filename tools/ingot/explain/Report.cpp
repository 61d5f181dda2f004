//===- Report.cpp - what explain says -------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/explain/Report.h"

#include "tools/ingot/Runtime.h"
#include "tools/ingot/Sizes.h"
#include "tools/ingot/Table.h"
#include "tools/ingot/explain/ExplainState.h"
#include "tools/ingot/explain/ExplainTiles.h"

#include <algorithm>
#include <tuple>

using namespace ingot::cli;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

Report::Report(const rt::Artifact &artifact, const std::string &path,
               ReportOptions given)
    : artifact(artifact), manifest(artifact.manifest()),
      options(std::move(given)) {
  choose(options.program);
  values = readDims(options.dims, *symbols);
  planArena(path);
  costs = costsOf(*stageList, values);
  if (!options.traceFile.empty())
    measurement.emplace(options.traceFile, options.program, *stageList);
}

void Report::choose(const std::string &program) {
  if (program == "main") {
    symbols = &manifest.symbols;
    stageList = &manifest.stages;
    bufferList = &manifest.buffers;
    arenaText = &manifest.arena;
    return;
  }
  std::string known = "'main'";
  for (const rt::EntryInfo &entry : manifest.entries) {
    known += ", '" + entry.name + "'";
    if (entry.name != program)
      continue;
    symbols = &entry.symbols;
    stageList = &entry.stages;
    bufferList = &entry.buffers;
    arenaText = &entry.arena;
    return;
  }
  throw Error(options.name + ": has no program '" + program + "', only " +
              known);
}

std::string Report::text(size_t width) const {
  return origin() + signature() + entries() + stateText(manifest) +
         recognised() + memory() + stageTable(width) +
         tileText(manifest, *stageList);
}

void Report::planArena(const std::string &path) {
  if (options.program != "main")
    return;
  try {
    std::vector<Tensor> inputs;
    inputs.reserve(manifest.inputs.size());
    for (const rt::TensorInfo &info : manifest.inputs) {
      inputs.push_back(tensorAt(info, values));
      // What is told of costs is told of the main program.
      if (manifest.decider && manifest.decider->input == info.name)
        inputs.back().bytes.assign(1, std::byte(1));
    }
    Session session(Model::load(path, /*verify=*/false), 0);
    arena = session.arenaBytes(inputs);
    threads = session.threads();
  } catch (const Error &) {
    // A dim without a value, or code for another machine: the plan stays an
    // expression.
    arena.reset();
  }
}

std::string Report::origin() const {
  std::string out = options.name + "\n";
  out += "  compiled from " + manifest.source + " by " + manifest.producer +
         " " + manifest.version;
  if (!manifest.options.empty())
    out += " with " + manifest.options;
  out += "\n  for " + manifest.triple;
  for (size_t i = 0; i < manifest.cpuFeatures.size(); ++i)
    out += (i ? ", " : " with ") + manifest.cpuFeatures[i];
  return out + "\n";
}

static std::string shapeOf(const rt::TensorInfo &tensor) {
  std::string text;
  for (const rt::Dim &dim : tensor.dims)
    text += (text.empty() ? "" : ", ") + dim.str();
  return "[" + text + "]";
}

std::string Report::signature() const {
  Table tensors({"", "name", "dtype", "shape"});
  for (const rt::TensorInfo &tensor : manifest.inputs)
    tensors.add({"in", tensor.name, std::string(dtypeName(tensor.dtype)),
                 shapeOf(tensor)});
  for (const rt::TensorInfo &tensor : manifest.outputs)
    tensors.add({"out", tensor.name, std::string(dtypeName(tensor.dtype)),
                 shapeOf(tensor)});
  std::string out = "\nSignature\n" + tensors.str();
  if (symbols->empty())
    return out;
  Table dims({"dim", ">at least", ">at most", ">here"});
  for (const rt::Symbol &symbol : *symbols) {
    auto value = values.find(symbol.name);
    bool bounded = symbol.max != rt::Symbol().max;
    dims.add({symbol.name, std::to_string(symbol.min),
              bounded ? std::to_string(symbol.max) : "",
              value == values.end() ? "" : std::to_string(value->second)});
  }
  return out + "\nSymbolic dims\n" + dims.str();
}

static std::string shapesOf(const std::vector<rt::TensorInfo> &tensors) {
  std::string text;
  for (const rt::TensorInfo &tensor : tensors)
    text += (text.empty() ? "" : ", ") + shapeOf(tensor);
  return text;
}

std::string Report::entries() const {
  if (manifest.entries.empty())
    return "";
  Table table({"entry", "in", "out", ">stages"});
  table.add({"main", shapesOf(manifest.inputs), shapesOf(manifest.outputs),
             std::to_string(runsOf(manifest.stages))});
  for (const rt::EntryInfo &entry : manifest.entries) {
    if (entry.name == "generate")
      table.add({entry.name, "calls sample and decode in turns", "", ""});
    else
      table.add({entry.name, shapesOf(entry.inputs), shapesOf(entry.outputs),
                 std::to_string(runsOf(entry.stages))});
  }
  std::string which;
  if (manifest.decider)
    which = "  main where " + manifest.decider->input + " is true, " +
            manifest.decider->entry + " where it is false\n";
  return "\nEntries\n" + table.str() + which;
}

std::string Report::recognised() const {
  if (manifest.ops.empty())
    return "";
  std::vector<rt::OpCount> ops = manifest.ops;
  std::sort(ops.begin(), ops.end(),
            [](const rt::OpCount &a, const rt::OpCount &b) {
              return std::tie(b.count, a.name) < std::tie(a.count, b.name);
            });
  Table table({"op", ">count"});
  for (const rt::OpCount &op : ops)
    table.add({op.name, std::to_string(op.count)});
  return "\nRecognised\n" + table.str();
}

std::string Report::memory() const {
  Table table({"", ">size", "how it is known"});
  table.add({"weights", quantity(double(artifact.weights().size()), "B"),
             std::to_string(manifest.weights.size()) +
                 " packed tensors, mapped from the artifact"});
  table.add({"code", quantity(double(artifact.image().size()), "B"),
             "one image, no undefined symbols"});
  std::string how = *arenaText;
  if (arena)
    how += (how.empty() ? "planned for " : "; planned for ") +
           std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  else if (how.empty())
    how = "known once every dim is given";
  table.add({"arena", arena ? quantity(double(*arena), "B") : "", how});
  return "\nMemory\n" + table.str();
}

std::optional<double> Report::least(const StageCost &stage) const {
  if (!options.roofline || !stage.flops.value || !stage.bytes.value)
    return std::nullopt;
  // In a loop, of all times together, as the time that it took.
  return double(stage.info->times) *
         std::max(double(*stage.flops.value) / options.roofline->flops,
                  double(*stage.bytes.value) / options.roofline->bytes);
}

std::string Report::stageTable(size_t width) const {
  if (costs.empty())
    return "";
  std::optional<double> flops = total(costs, &StageCost::flops),
                        bytes = total(costs, &StageCost::bytes);
  std::vector<std::string> titles = {">#",        ">times", "stage",  "sync",
                                     "ops fused", ">tiles", ">flops", ">share",
                                     ">bytes",    ">share"};
  if (options.roofline)
    titles.emplace_back(">at peak");
  if (measurement)
    for (const char *title : {">took", ">share", ">waited"})
      titles.emplace_back(title);
  if (measurement && options.roofline)
    titles.emplace_back(">of peak");
  titles.emplace_back("model's nodes");
  Table table(titles);
  auto in = [](std::string_view unit) {
    return [unit](int64_t value) { return quantity(double(value), unit); };
  };
  bool isRecomputed = false, hasPrologue = false, isFetched = false;
  for (size_t i = 0; i < costs.size(); ++i) {
    const StageCost &stage = costs[i];
    auto part = [&](const Amount &amount, std::optional<double> whole) {
      double times = double(stage.info->times);
      return whole && amount.value
                 ? share(double(*amount.value) * times, *whole)
                 : "";
    };
    hasPrologue |= stage.info->isPrologue();
    isRecomputed |= stage.info->sync.ends_with("each*");
    isFetched |= stage.info->sync.find(" fetch:") != std::string::npos;
    std::vector<std::string> row = {
        std::to_string(i),
        stage.info->times == 1 ? "" : std::to_string(stage.info->times) + " x",
        stage.info->name,
        stage.info->sync,
        stage.info->ops,
        stage.tiles.text.empty() ? "" : stage.tiles.str([](int64_t n) {
          return std::to_string(n);
        }),
        stage.flops.str(in("")),
        part(stage.flops, flops),
        stage.bytes.str(in("B")),
        part(stage.bytes, bytes)};
    std::optional<double> atPeak = least(stage);
    if (options.roofline)
      row.push_back(atPeak ? seconds(*atPeak) : "");
    if (measurement) {
      const Measured::Stage &took = measurement->stages()[i];
      row.push_back(seconds(took.busy * 1e-6));
      row.push_back(share(took.busy, measurement->duration()));
      row.push_back(took.wait > 0 ? seconds(took.wait * 1e-6) : "");
      if (options.roofline)
        row.push_back(atPeak ? share(*atPeak, took.busy * 1e-6) : "");
    }
    row.push_back(stage.info->nodes);
    table.add(std::move(row));
  }
  std::string out = "\nStages";
  if (options.program != "main")
    out += " of the program '" + options.program + "'";
  out += "\n" + table.str(width);
  if (hasPrologue)
    out += "  prologue: a part of the stage that follows it\n";
  if (isRecomputed || hasPrologue)
    out += "  *: of a stage that is one tile every worker makes its own, and "
           "nobody waits for it\n";
  if (isFetched)
    out += "  fetch:N: who waits there fetches the weights that its first tile "
           "of stage N begins to read\n";
  return out + stageSums() + measuredSums();
}

std::string Report::stageSums() const {
  std::optional<double> flops = total(costs, &StageCost::flops),
                        bytes = total(costs, &StageCost::bytes);
  if (flops && bytes) {
    uint64_t runs = 0, stages = 0;
    for (const StageCost &stage : costs) {
      runs += stage.info->times;
      if (!stage.info->isJoined() && !stage.info->isPrologue())
        stages += stage.info->times;
    }
    std::string out = "  all " + std::to_string(runs) +
                      (stages == runs || stages == 0
                           ? ""
                           : " in " + std::to_string(stages) + " stages") +
                      ": " + quantity(*flops, "FLOP") + ", " +
                      quantity(*bytes, "B");
    size_t unknown = std::ranges::count_if(costs, &StageCost::isUnknown);
    if (unknown)
      out += "; without the unknown costs of " + std::to_string(unknown) +
             (unknown == 1 ? " stage" : " stages");
    return out + "\n";
  }
  std::string missing;
  for (const rt::Symbol &symbol : *symbols)
    if (!values.count(symbol.name))
      missing += " --dim " + symbol.name + "=N";
  return missing.empty() ? "" : "  totals and shares with" + missing + "\n";
}

std::string Report::measuredSums() const {
  if (!measurement)
    return "";
  double whole = measurement->duration(), waited = measurement->waiting();
  size_t workers = measurement->workers().size();
  std::string out =
      "  took " + seconds(whole * 1e-6) + " on " + std::to_string(workers) +
      (workers == 1 ? " thread" : " threads") + " (the median of " +
      std::to_string(measurement->runs()) + " traced), of which " +
      seconds(waited * 1e-6) + " waiting, " + share(waited, whole) + "\n";
  return out;
}

static Json toJson(const std::vector<rt::TensorInfo> &tensors) {
  Json list = Json::array();
  for (const rt::TensorInfo &tensor : tensors) {
    Json dims = Json::array();
    for (const rt::Dim &dim : tensor.dims)
      dims.push_back(dim.isStatic() ? Json(dim.value) : Json(dim.text));
    list.push_back({{"name", tensor.name},
                    {"dtype", dtypeName(tensor.dtype)},
                    {"dims", dims}});
  }
  return list;
}

Json Report::json() const {
  Json out = {{"source", manifest.source},
              {"version", manifest.version},
              {"options", manifest.options},
              {"triple", manifest.triple},
              {"cpu_features", manifest.cpuFeatures},
              {"inputs", toJson(manifest.inputs)},
              {"outputs", toJson(manifest.outputs)}};
  out["symbols"] = Json::array();
  for (const rt::Symbol &symbol : *symbols) {
    Json entry = {
        {"name", symbol.name}, {"min", symbol.min}, {"max", symbol.max}};
    if (auto value = values.find(symbol.name); value != values.end())
      entry["value"] = value->second;
    out["symbols"].push_back(entry);
  }
  out["recognised"] = Json::object();
  for (const rt::OpCount &op : manifest.ops)
    out["recognised"][op.name] = op.count;
  if (manifest.state)
    out["state"] = stateJson(*manifest.state);
  for (const rt::EntryInfo &entry : manifest.entries)
    out["entries"].push_back({{"name", entry.name},
                              {"inputs", toJson(entry.inputs)},
                              {"outputs", toJson(entry.outputs)},
                              {"arena", entry.arena},
                              {"stages", runsOf(entry.stages)}});
  if (manifest.decider)
    out["decider"] = {{"input", manifest.decider->input},
                      {"otherwise", manifest.decider->entry}};
  out["program"] = options.program;
  out["weights_bytes"] = artifact.weights().size();
  out["image_bytes"] = artifact.image().size();
  auto put = [](Json &to, const std::string &key, const std::string &valueKey,
                const Amount &amount) {
    to[key] = amount.text;
    if (amount.value)
      to[valueKey] = *amount.value;
  };
  out["arena"] = *arenaText;
  if (arena) {
    out["arena_bytes"] = *arena;
    out["arena_threads"] = threads;
  }
  out["stages"] = Json::array();
  for (size_t i = 0; i < costs.size(); ++i) {
    const StageCost &stage = costs[i];
    Json entry = {{"name", stage.info->name},   {"ops", stage.info->ops},
                  {"nodes", stage.info->nodes}, {"sync", stage.info->sync},
                  {"reads", stage.info->reads}, {"writes", stage.info->writes},
                  {"times", stage.info->times}};
    for (const rt::CutInfo &cut : stage.info->cuts)
      entry["cuts"].push_back({{"of", cut.of}, {"tile", cut.tile}});
    put(entry, "flops", "flops_value", stage.flops);
    put(entry, "bytes", "bytes_value", stage.bytes);
    put(entry, "tiles", "tiles_value", stage.tiles);
    if (std::optional<double> atPeak = least(stage))
      entry["seconds_at_peak"] = *atPeak;
    if (measurement) {
      entry["seconds"] = measurement->stages()[i].busy * 1e-6;
      entry["seconds_waited"] = measurement->stages()[i].wait * 1e-6;
    }
    out["stages"].push_back(entry);
  }
  out["buffers"] = Json::array();
  for (const rt::BufferInfo &buffer : *bufferList) {
    if (!buffer.name.empty()) {
      out["buffers"].push_back({{"name", buffer.name}});
      continue;
    }
    Json entry = {{"each", buffer.isEach}};
    put(entry, "offset", "offset_value", Amount::at(buffer.offset, values));
    put(entry, "bytes", "bytes_value", Amount::at(buffer.bytes, values));
    out["buffers"].push_back(entry);
  }
  if (manifest.tuning)
    out["tuning"] = tuningJson(*manifest.tuning);
  if (measurement)
    out["measured"] = {{"runs", measurement->runs()},
                       {"threads", measurement->workers().size()},
                       {"seconds", measurement->duration() * 1e-6},
                       {"seconds_waited", measurement->waiting() * 1e-6}};
  return out;
}
