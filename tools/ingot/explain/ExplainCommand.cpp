//===- ExplainCommand.cpp - ingot explain ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/Ceilings.h"
#include "lib/Machine/Samples.h"
#include "tools/ingot/Commands.h"
#include "tools/ingot/ModelFile.h"
#include "tools/ingot/Sizes.h"
#include "tools/ingot/explain/Page.h"
#include "tools/ingot/explain/Report.h"

#include "runtime/cpu/WorkerCount.h"

#include <memory>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace ingot::cli;
using namespace ingot::machine;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

namespace {
struct Arguments {
  std::string jsonFile, pageFile;
  bool full = false, wantsRoofline = false;
  ReportOptions report;
  CompileOptions options;
};
} // namespace

/// Columns of the terminal; a generous line where there is none.
static size_t lineWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 160;
}

/// Measures what this machine can do at most.
static Roofline measureRoofline() {
  auto made = Ceilings::create(rt::availableWorkers());
  if (!made.ok())
    throw Error(made.status().message());
  Ceilings &ceilings = **made;
  constexpr int times = 5;
  for (int i = 0; i < times; ++i)
    ceilings.measure();
  return {median(ceilings.floats().rates), median(ceilings.reads().rates)};
}

static void explain(Arguments &arguments) {
  const std::string &name = arguments.report.name;
  ModelFile file = ModelFile::open(name, arguments.options);
  auto artifact = rt::Artifact::open(file.path(), {.verifyWeights = false});
  if (!artifact.ok())
    throw Error(artifact.status().message());
  if (arguments.options.generate && !(*artifact)->manifest().state)
    throw Error(name + ": was not compiled with --generate");
  if (arguments.wantsRoofline)
    arguments.report.roofline = measureRoofline();
  Report report(**artifact, file.path(), arguments.report);
  if (!arguments.pageFile.empty())
    writeFile(arguments.pageFile, pageOf(report));
  if (!arguments.jsonFile.empty())
    writeFile(
        arguments.jsonFile,
        report.json().dump(1, ' ', false, Json::error_handler_t::replace) +
            "\n");
  if (arguments.pageFile.empty() && arguments.jsonFile.empty())
    std::fputs(report.text(arguments.full ? 0 : lineWidth()).c_str(), stdout);
}

void ingot::cli::addExplainCommand(CLI::App &program, int &) {
  CLI::App *command = program.add_subcommand(
      "explain", "Show what was recognised and fused in a model, and where its "
                 "time and memory go.");
  auto arguments = std::make_shared<Arguments>();
  ReportOptions &report = arguments->report;
  command
      ->add_option("MODEL", report.name,
                   "An artifact, or an ONNX file (compiled in memory, cached)")
      ->required();
  addDimOption(*command, report.dims,
               "A size for a symbolic dim, to show amounts instead of "
               "expressions; once for each");
  addGenerateOptions(*command, arguments->options);
  command
      ->add_option("--entry", report.program,
                   "The program whose stages are shown; the report lists them "
                   "under Entries")
      ->capture_default_str()
      ->type_name("NAME");
  command
      ->add_option("--trace", report.traceFile,
                   "Show how long each stage took and how long it was waited "
                   "for, from a trace of the same artifact (ingot bench "
                   "--trace)")
      ->type_name("FILE.json");
  command->add_flag("--roofline", arguments->wantsRoofline,
                    "Measure this machine's FMA peak and read bandwidth, and "
                    "show how long each stage would take at these");
  command->add_flag("--full", arguments->full,
                    "Show all nodes of a stage, however long the line");
  command
      ->add_option("--json", arguments->jsonFile,
                   "Write the report to this file instead")
      ->type_name("FILE");
  command
      ->add_option("--html", arguments->pageFile,
                   "Write a page to this file instead: the stages, the memory "
                   "over time, what depends on what and, with --trace, a "
                   "timeline of the threads")
      ->type_name("FILE.html");
  command->callback([arguments] { explain(*arguments); });
}
