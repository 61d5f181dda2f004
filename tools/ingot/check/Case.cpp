//===- Case.cpp - one folder of ONNX test data ----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/check/Case.h"

#include "tools/ingot/Compare.h"
#include "tools/ingot/Runtime.h"
#include "tools/ingot/io/Onnx.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace ingot::cli;
namespace fs = std::filesystem;

static std::vector<std::string> entries(const fs::path &folder,
                                        std::string_view prefix) {
  std::vector<std::string> found;
  std::error_code failed;
  for (const fs::directory_entry &entry :
       fs::directory_iterator(folder, failed))
    if (entry.path().filename().string().starts_with(prefix))
      found.push_back(entry.path().string());
  // test_data_set_10 comes after test_data_set_9.
  std::sort(found.begin(), found.end(),
            [](const std::string &a, const std::string &b) {
              return std::pair(a.size(), a) < std::pair(b.size(), b);
            });
  return found;
}

static bool isCase(const fs::path &folder) {
  std::error_code failed;
  return fs::is_regular_file(folder / "model.onnx", failed) &&
         !entries(folder, "test_data_set_").empty();
}

std::vector<Case> ingot::cli::findCases(const std::vector<std::string> &paths) {
  std::vector<Case> cases;
  for (const std::string &path : paths) {
    std::error_code failed;
    if (!fs::is_directory(path, failed))
      throw Error(path + ": no such folder");
    if (isCase(path)) {
      fs::path whole = fs::weakly_canonical(path, failed);
      cases.push_back({whole.filename().string(), path});
      continue;
    }
    size_t before = cases.size();
    for (const std::string &inner : entries(path, ""))
      if (isCase(inner))
        cases.push_back({fs::path(inner).filename().string(), inner});
    if (cases.size() == before)
      throw Error(path + ": holds no test case (a folder with model.onnx and "
                         "test_data_set_0)");
    std::sort(cases.begin() + ptrdiff_t(before), cases.end(),
              [](const Case &a, const Case &b) { return a.name < b.name; });
  }
  return cases;
}

bool ingot::cli::isSkipReason(const std::string &message) {
  for (std::string_view tag :
       {"unsupported op:", "unsupported dtype:", "unsupported opset:",
        "unsupported attribute:", "data-dependent shape:", "unsupported type:",
        "subgraph:"})
    if (message.starts_with(tag))
      return true;
  return false;
}

/// The tensors PREFIX0.pb, PREFIX1.pb... of a data set.
static std::vector<Tensor> readTensors(const std::string &folder,
                                       std::string_view prefix) {
  std::vector<Tensor> tensors;
  for (const std::string &file : entries(folder, prefix))
    tensors.push_back(readTensorProto(file));
  return tensors;
}

/// Gives tensors the names that the model uses: their own if the model has
/// them all, else by position, as ONNX's own runner does.
static void assignNames(std::vector<Tensor> &tensors,
                        const std::vector<TensorInfo> &declared,
                        const char *what) {
  bool byName =
      std::all_of(tensors.begin(), tensors.end(), [&](const Tensor &tensor) {
        return std::any_of(
            declared.begin(), declared.end(),
            [&](const TensorInfo &info) { return info.name == tensor.name; });
      });
  if (byName)
    return;
  if (tensors.size() > declared.size())
    throw Error("the data set has " + std::to_string(tensors.size()) + " " +
                what + "s, the model " + std::to_string(declared.size()));
  for (size_t i = 0; i < tensors.size(); ++i)
    tensors[i].name = declared[i].name;
}

/// Runs and compares one data set; returns what differs, or nothing.
static std::string runDataSet(const Model &model, const Session &session,
                              const std::string &folder, Tolerance tolerance,
                              CaseResult &result) {
  std::vector<Tensor> inputs = readTensors(folder, "input_");
  std::vector<Tensor> wanted = readTensors(folder, "output_");
  if (wanted.empty())
    throw Error("no output_0.pb");
  assignNames(inputs, model.inputs(), "input");
  assignNames(wanted, model.outputs(), "output");
  RunResult run = session.run(inputs);
  result.runMilliseconds += run.milliseconds;
  for (const Tensor &want : wanted) {
    auto got = std::find_if(
        run.outputs.begin(), run.outputs.end(),
        [&](const Tensor &tensor) { return tensor.name == want.name; });
    if (got == run.outputs.end())
      return "output '" + want.name + "' is missing";
    Comparison comparison = compare(*got, want, tolerance);
    result.largestDifference =
        std::max(result.largestDifference, comparison.largest);
    if (!comparison.difference.empty())
      return "output '" + want.name + "': " + comparison.difference;
  }
  return "";
}

/// The first line of a message: reports have a line a case.
static std::string oneLine(const std::string &text) {
  size_t end = text.find('\n');
  if (end == std::string::npos)
    return text;
  return text.substr(0, end) + " (and " +
         std::to_string(
             std::count(text.begin() + ptrdiff_t(end), text.end(), '\n')) +
         " more)";
}

static void runAll(const Case &what, const std::string &artifact,
                   const CaseOptions &options, CaseResult &result) {
  Tolerance tolerance;
  fs::path folder = what.folder;
  std::error_code failed;
  if (fs::exists(folder / "meta.json", failed))
    tolerance = readTolerance((folder / "meta.json").string());

  Progress clock("");
  Compiler::get().compile((folder / "model.onnx").string(), artifact,
                          options.compile, nullptr);
  result.compileSeconds = clock.seconds();
  Model model = Model::load(artifact);
  Session session(model, options.threads);
  for (const std::string &set : entries(folder, "test_data_set_")) {
    std::string label = fs::path(set).filename().string() + ": ";
    std::string difference;
    try {
      difference = runDataSet(model, session, set, tolerance, result);
    } catch (const UnrepresentableError &) {
      throw;
    } catch (const Error &error) {
      difference = error.what();
    }
    if (!difference.empty())
      throw Error(label + difference);
    ++result.dataSets;
  }
}

CaseResult ingot::cli::runCase(const Case &what, const std::string &artifact,
                               const CaseOptions &options) {
  CaseResult result;
  try {
    runAll(what, artifact, options, result);
    result.outcome = Outcome::Passed;
  } catch (const CompileError &error) {
    bool skip = isSkipReason(error.what());
    result.outcome = skip ? Outcome::Skipped : Outcome::Failed;
    result.reason = oneLine(error.what());
  } catch (const UnrepresentableError &error) {
    result.outcome = Outcome::Skipped;
    result.reason = std::string("unsupported type: ") + error.what();
  } catch (const std::exception &error) {
    result.reason = oneLine(error.what());
  }
  return result;
}

std::string_view ingot::cli::outcomeName(Outcome outcome) {
  switch (outcome) {
  case Outcome::Passed:
    return "passed";
  case Outcome::Skipped:
    return "skipped";
  case Outcome::Failed:
    break;
  }
  return "failed";
}

std::string ingot::cli::encode(const CaseResult &result) {
  nlohmann::json json = {result.outcome,           result.reason,
                         result.compileSeconds,    result.runMilliseconds,
                         result.largestDifference, result.dataSets};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

CaseResult ingot::cli::decode(const std::string &text) {
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    CaseResult result;
    result.outcome = json.at(0).get<Outcome>();
    result.reason = json.at(1).get<std::string>();
    result.compileSeconds = json.at(2).get<double>();
    result.runMilliseconds = json.at(3).get<double>();
    result.largestDifference = json.at(4).get<double>();
    result.dataSets = json.at(5).get<int>();
    return result;
  } catch (const nlohmann::json::exception &) {
    throw Error("the case's process sent no result");
  }
}
