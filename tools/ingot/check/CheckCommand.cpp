//===- CheckCommand.cpp - ingot check -------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Commands.h"
#include "tools/ingot/check/Isolation.h"
#include "tools/ingot/io/Onnx.h"

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

using namespace ingot::cli;
using Json = nlohmann::ordered_json;

namespace {

struct Arguments {
  std::vector<std::string> folders;
  std::string jsonFile, listFile;
  CaseOptions options;
  IsolationOptions isolation;
};

/// All results, and what they say together.
class Summary {
public:
  Summary(std::vector<Case> found) : cases(std::move(found)) {}

  void add(size_t index, const CaseResult &result) {
    results.resize(std::max(results.size(), index + 1));
    results[index] = result;
    const Case &what = cases[index];
    if (result.outcome == Outcome::Passed)
      std::printf("passed   %s  (compiled in %.0f ms, ran in %.2f ms, largest "
                  "difference %.1e)\n",
                  what.name.c_str(), result.compileSeconds * 1e3,
                  result.runMilliseconds, result.largestDifference);
    else
      print(result.outcome, what.name, result.reason);
    std::fflush(stdout);
  }

  /// A case must not be skipped for an op with which another case passes.
  void refuseContradictions();
  /// The names in the file must all be of passed cases.
  void compareWithList(const std::string &path);
  /// The closing line; returns whether nothing failed.
  bool close() const;
  void writeJson(const std::string &path) const;

private:
  static void print(Outcome outcome, const std::string &name,
                    const std::string &reason) {
    std::printf("%-8s %s: %s\n",
                outcome == Outcome::Failed ? "FAILED" : "skipped", name.c_str(),
                reason.c_str());
  }
  void fail(size_t index, const std::string &reason) {
    results[index].outcome = Outcome::Failed;
    results[index].reason = reason;
    print(Outcome::Failed, cases[index].name, reason);
  }
  size_t count(Outcome outcome) const {
    return size_t(std::count_if(
        results.begin(), results.end(),
        [&](const CaseResult &result) { return result.outcome == outcome; }));
  }

  std::vector<Case> cases;
  std::vector<CaseResult> results;
  /// Names that the list has and that were not found.
  std::vector<std::string> missing;
};

} // namespace

static std::set<std::string> opsOf(const Case &what) {
  std::string path = what.folder + "/model.onnx";
  try {
    return scanModel(readFile(path), path).ops;
  } catch (const Error &) {
    return {};
  }
}

void Summary::refuseContradictions() {
  std::set<std::string> passing;
  for (size_t i = 0; i < results.size(); ++i)
    if (results[i].outcome == Outcome::Passed)
      passing.merge(opsOf(cases[i]));
  const std::string tag = "unsupported op: ";
  for (size_t i = 0; i < results.size(); ++i) {
    const std::string &reason = results[i].reason;
    if (results[i].outcome != Outcome::Skipped || !reason.starts_with(tag))
      continue;
    std::string op = reason.substr(
        tag.size(), reason.find_first_of(" (,", tag.size()) - tag.size());
    if (op.starts_with("ai.onnx::"))
      op.erase(0, 9);
    if (passing.count(op))
      fail(i, "skipped for " + op +
                  ", with which another case passes: " + std::string(reason));
  }
}

void Summary::compareWithList(const std::string &path) {
  std::ifstream file(path);
  if (!file)
    throw Error(path + ": cannot be read");
  std::set<std::string> listed;
  std::string line;
  while (std::getline(file, line)) {
    line.erase(std::min(line.find('#'), line.size()));
    size_t begin = line.find_first_not_of(" \t\r");
    if (begin != std::string::npos)
      listed.insert(
          line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1));
  }
  size_t fresh = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    bool known = listed.erase(cases[i].name) != 0;
    bool passed = results[i].outcome == Outcome::Passed;
    if (known && results[i].outcome == Outcome::Skipped)
      fail(i, "expected to pass, but skipped: " + results[i].reason);
    fresh += passed && !known;
  }
  for (const std::string &name : listed) {
    print(Outcome::Failed, name, "expected to pass, but there is no such case");
    missing.push_back(name);
  }
  if (fresh)
    std::printf("%zu cases pass that %s does not list\n", fresh, path.c_str());
}

bool Summary::close() const {
  size_t failed = count(Outcome::Failed) + missing.size();
  std::printf("%zu passed, %zu failed, %zu skipped\n", count(Outcome::Passed),
              failed, count(Outcome::Skipped));
  return failed == 0;
}

void Summary::writeJson(const std::string &path) const {
  Json list = Json::array();
  for (size_t i = 0; i < results.size(); ++i) {
    const CaseResult &result = results[i];
    list.push_back({{"name", cases[i].name},
                    {"folder", cases[i].folder},
                    {"status", outcomeName(result.outcome)},
                    {"reason", result.reason},
                    {"data_sets", result.dataSets},
                    {"compile_seconds", result.compileSeconds},
                    {"run_milliseconds", result.runMilliseconds},
                    {"largest_difference", result.largestDifference}});
  }
  Json out = {{"passed", count(Outcome::Passed)},
              {"failed", count(Outcome::Failed) + missing.size()},
              {"skipped", count(Outcome::Skipped)},
              {"missing", missing},
              {"cases", list}};
  writeFile(path,
            out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

static void check(const Arguments &arguments, int &status) {
  std::vector<Case> cases = findCases(arguments.folders);
  // Opened before the processes part, so that its start is paid once.
  Compiler::get();
  Summary summary(cases);
  bool finished = runIsolated(
      cases.size(), arguments.isolation,
      [&](size_t index, const std::string &folder) {
        return runCase(cases[index], folder + "/model.ingot",
                       arguments.options);
      },
      [&](size_t index, const CaseResult &result) {
        summary.add(index, result);
      });
  if (!finished) {
    std::fputs("ingot: interrupted\n", stderr);
    status = 130;
    return;
  }
  summary.refuseContradictions();
  if (!arguments.listFile.empty())
    summary.compareWithList(arguments.listFile);
  if (!arguments.jsonFile.empty())
    summary.writeJson(arguments.jsonFile);
  if (!summary.close())
    status = 1;
}

void ingot::cli::addCheckCommand(CLI::App &program, int &status) {
  CLI::App *command = program.add_subcommand(
      "check", "Run ONNX test cases (model.onnx, test_data_set_*) and compare "
               "the outputs with the expected ones.");
  command->footer("Tolerances are rtol and atol of the case's meta.json, else "
                  "1e-3 and 1e-7; integers and booleans must be equal. Each "
                  "case runs in a process of its own. A case is skipped only "
                  "when the compiler does not support what it needs, and says "
                  "what. The status is 0 only if no case failed.");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("DIR", arguments->folders,
                   "A case's folder, or a folder of them")
      ->required();
  command
      ->add_option("--json", arguments->jsonFile,
                   "Also write the results to this file")
      ->type_name("FILE");
  command
      ->add_option("--list", arguments->listFile,
                   "Names of cases that must pass, one a line")
      ->type_name("FILE");
  command->add_flag("--erase-dims", arguments->options.compile.eraseDims,
                    "Compile with every dim of every input unknown");
  command->add_flag("--verify-each", arguments->options.compile.verifyEach,
                    "Verify the program after every pass");
  unsigned processors = std::thread::hardware_concurrency();
  arguments->isolation.jobs = std::max(1, int(processors));
  command
      ->add_option("--jobs", arguments->isolation.jobs,
                   "Cases to run at the same time")
      ->check(CLI::Range(1, 1024))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--threads", arguments->options.threads,
                   "Threads that run a model")
      ->check(CLI::Range(1, 4096))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--time-limit", arguments->isolation.timeLimit,
                   "Seconds that one case may take")
      ->check(CLI::Range(0.1, 1e6))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->callback([arguments, &status] { check(*arguments, status); });
}
