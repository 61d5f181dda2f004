//===- ExplainCommand.cpp - ingot explain ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Commands.h"
#include "tools/ingot/Costs.h"
#include "tools/ingot/ExplainState.h"
#include "tools/ingot/ModelFile.h"
#include "tools/ingot/Runtime.h"
#include "tools/ingot/Sizes.h"
#include "tools/ingot/Table.h"

#include "runtime/core/Artifact.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/ioctl.h>
#include <tuple>
#include <unistd.h>

using namespace ingot::cli;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

namespace {

struct Arguments {
  std::string model, jsonFile;
  std::vector<std::string> dims;
  bool full = false;
  CompileOptions options;
};

/// The report: an artifact and the sizes to evaluate it at.
class Report {
public:
  /// `path` is the artifact's.
  Report(const rt::Artifact &artifact, const std::string &path,
         const Arguments &arguments)
      : artifact(artifact), manifest(artifact.manifest()),
        name(arguments.model) {
    values = readDims(arguments.dims, manifest.symbols);
    planArena(path);
    stages = costsOf(manifest.stages, values);
  }

  std::string text(size_t width) const {
    return origin() + signature() + entries() + stateText(manifest) +
           recognised() + memory() + stageTable(width);
  }
  Json json() const;

private:
  void planArena(const std::string &path);
  std::string origin() const;
  std::string signature() const;
  std::string entries() const;
  std::string recognised() const;
  std::string memory() const;
  std::string stageTable(size_t width) const;
  uint64_t weightBytes() const { return artifact.weights().size(); }

  const rt::Artifact &artifact;
  const rt::Manifest &manifest;
  const std::string &name;
  Symbols values;
  std::vector<StageCost> stages;
  /// What the program itself plans at the given sizes, if all are given.
  std::optional<uint64_t> arena;
  int threads = 0;
};

} // namespace

void Report::planArena(const std::string &path) {
  try {
    std::vector<Tensor> inputs;
    inputs.reserve(manifest.inputs.size());
    for (const rt::TensorInfo &info : manifest.inputs)
      inputs.push_back(tensorAt(info, values));
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
  std::string out = name + "\n";
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
  if (manifest.symbols.empty())
    return out;
  Table symbols({"dim", ">at least", ">at most", ">here"});
  for (const rt::Symbol &symbol : manifest.symbols) {
    auto value = values.find(symbol.name);
    bool bounded = symbol.max != rt::Symbol().max;
    symbols.add({symbol.name, std::to_string(symbol.min),
                 bounded ? std::to_string(symbol.max) : "",
                 value == values.end() ? "" : std::to_string(value->second)});
  }
  return out + "\nSymbolic dims\n" + symbols.str();
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
             std::to_string(manifest.stages.size())});
  for (const rt::EntryInfo &entry : manifest.entries)
    table.add({entry.name, shapesOf(entry.inputs), shapesOf(entry.outputs),
               std::to_string(entry.stages.size())});
  return "\nEntries\n" + table.str();
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
  table.add({"weights", quantity(double(weightBytes()), "B"),
             std::to_string(manifest.weights.size()) +
                 " packed tensors, mapped from the artifact"});
  table.add({"code", quantity(double(artifact.image().size()), "B"),
             "one image, no undefined symbols"});
  std::string how = manifest.arena;
  if (arena)
    how += (how.empty() ? "planned for " : "; planned for ") +
           std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  else if (how.empty())
    how = "known once every dim is given";
  table.add({"arena", arena ? quantity(double(*arena), "B") : "", how});
  return "\nMemory\n" + table.str();
}

std::string Report::stageTable(size_t width) const {
  if (stages.empty())
    return "";
  std::optional<double> flops = total(stages, &StageCost::flops),
                        bytes = total(stages, &StageCost::bytes);
  Table table({">#", "stage", "ops fused", ">tiles", ">flops", ">share",
               ">bytes", ">share", "model's nodes"});
  auto part = [](const Amount &amount, std::optional<double> whole) {
    return whole && amount.value ? share(double(*amount.value), *whole) : "";
  };
  auto in = [](std::string_view unit) {
    return [unit](int64_t value) { return quantity(double(value), unit); };
  };
  size_t unknown = 0;
  for (size_t i = 0; i < stages.size(); ++i) {
    const StageCost &stage = stages[i];
    unknown += stage.isUnknown();
    table.add({std::to_string(i), stage.info->name, stage.info->ops,
               stage.tiles.text.empty() ? "" : stage.tiles.str([](int64_t n) {
                 return std::to_string(n);
               }),
               stage.flops.str(in("")), part(stage.flops, flops),
               stage.bytes.str(in("B")), part(stage.bytes, bytes),
               stage.info->nodes});
  }
  std::string out = "\nStages\n" + table.str(width);
  if (flops && bytes) {
    out += "  all " + std::to_string(stages.size()) + ": " +
           quantity(*flops, "FLOP") + ", " + quantity(*bytes, "B");
    if (unknown)
      out += "; without the unknown costs of " + std::to_string(unknown) +
             (unknown == 1 ? " stage" : " stages");
    return out + "\n";
  }
  std::string missing;
  for (const rt::Symbol &symbol : manifest.symbols)
    if (!values.count(symbol.name))
      missing += " --dim " + symbol.name + "=N";
  return missing.empty() ? out
                         : out + "  totals and shares with" + missing + "\n";
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
  for (const rt::Symbol &symbol : manifest.symbols) {
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
                              {"stages", entry.stages.size()}});
  out["weights_bytes"] = weightBytes();
  out["image_bytes"] = artifact.image().size();
  auto put = [](Json &to, const std::string &key, const std::string &valueKey,
                const Amount &amount) {
    to[key] = amount.text;
    if (amount.value)
      to[valueKey] = *amount.value;
  };
  out["arena"] = manifest.arena;
  if (arena) {
    out["arena_bytes"] = *arena;
    out["arena_threads"] = threads;
  }
  out["stages"] = Json::array();
  for (const StageCost &stage : stages) {
    Json entry = {{"name", stage.info->name},
                  {"ops", stage.info->ops},
                  {"nodes", stage.info->nodes}};
    put(entry, "flops", "flops_value", stage.flops);
    put(entry, "bytes", "bytes_value", stage.bytes);
    put(entry, "tiles", "tiles_value", stage.tiles);
    out["stages"].push_back(entry);
  }
  return out;
}

/// Columns of the terminal; a generous line where there is none.
static size_t lineWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 160;
}

static void explain(const Arguments &arguments) {
  ModelFile file = ModelFile::open(arguments.model, arguments.options);
  auto artifact = rt::Artifact::open(file.path(), {.verifyWeights = false});
  if (!artifact.ok())
    throw Error(artifact.status().message());
  if (arguments.options.generate && !(*artifact)->manifest().state)
    throw Error(arguments.model + ": was not compiled with --generate");
  Report report(**artifact, file.path(), arguments);
  if (arguments.jsonFile.empty())
    std::fputs(report.text(arguments.full ? 0 : lineWidth()).c_str(), stdout);
  else
    writeFile(
        arguments.jsonFile,
        report.json().dump(1, ' ', false, Json::error_handler_t::replace) +
            "\n");
}

void ingot::cli::addExplainCommand(CLI::App &program, int &) {
  CLI::App *command = program.add_subcommand(
      "explain", "Show what was recognised and fused in a model, and where its "
                 "time and memory go.");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("MODEL", arguments->model,
                   "An artifact, or an ONNX file (compiled in memory, cached)")
      ->required();
  addDimOption(*command, arguments->dims,
               "A size for a symbolic dim, to show amounts instead of "
               "expressions; once for each");
  addGenerateOptions(*command, arguments->options);
  command->add_flag("--full", arguments->full,
                    "Show all nodes of a stage, however long the line");
  command
      ->add_option("--json", arguments->jsonFile,
                   "Write the report to this file instead")
      ->type_name("FILE");
  command->callback([arguments] { explain(*arguments); });
}
