//===- BenchCommand.cpp - ingot bench -------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Commands.h"
#include "tools/ingot/ModelFile.h"
#include "tools/ingot/bench/BenchReport.h"
#include "tools/ingot/bench/Interrupt.h"

#include "runtime/cpu/WorkerCount.h"

using namespace ingot::cli;
namespace machine = ingot::machine;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

namespace {
struct Arguments {
  std::string model, jsonFile, traceFile;
  double seconds = 3;
  SubjectOptions subject;
  CompileOptions compile;
};
} // namespace

/// Measures, and reports where it was told to.
static void measure(const Arguments &arguments, Subject *subject) {
  int threads = subject                     ? subject->threads()
                : arguments.subject.threads ? arguments.subject.threads
                                            : rt::availableWorkers();
  Interrupt interrupt;
  auto made = machine::Ceilings::create(threads);
  if (!made.ok())
    throw Error(made.status().message());
  machine::Ceilings &ceilings = **made;
  Rounds rounds(ceilings, subject, arguments.seconds);
  BenchReport report{arguments.model, ceilings, subject, rounds};
  if (arguments.jsonFile.empty())
    std::fputs(report.text().c_str(), stdout);
  else
    writeFile(
        arguments.jsonFile,
        report.json().dump(1, ' ', false, Json::error_handler_t::replace) +
            "\n");
}

static void bench(const Arguments &arguments) {
  const SubjectOptions &options = arguments.subject;
  if (arguments.model.empty()) {
    if (!options.dims.empty() || options.prompt || options.tokens ||
        !arguments.traceFile.empty())
      throw Error("without a model there are no sizes to give, and no runs to "
                  "trace");
    return measure(arguments, nullptr);
  }
  ModelFile file = ModelFile::open(arguments.model, arguments.compile);
  auto artifact = rt::Artifact::open(file.path(), {.verifyWeights = false});
  if (!artifact.ok())
    throw Error(artifact.status().message());
  if (arguments.compile.generate && !(*artifact)->manifest().state)
    throw Error(arguments.model + ": was not compiled with --generate");
  std::unique_ptr<Subject> subject =
      Subject::make(*artifact, file.path(), arguments.model, options);
  measure(arguments, subject.get());
  if (!arguments.traceFile.empty())
    subject->trace(arguments.traceFile);
}

void ingot::cli::addBenchCommand(CLI::App &program, int &) {
  CLI::App *command = program.add_subcommand(
      "bench", "Time a model on made-up inputs, beside what this machine's "
               "arithmetic and memory can do at most.");
  auto arguments = std::make_shared<Arguments>();
  SubjectOptions &subject = arguments->subject;
  command->add_option("MODEL", arguments->model,
                      "An artifact, or an ONNX file (compiled in memory, "
                      "cached); without it only the machine is measured");
  addDimOption(*command, subject.dims,
               "A size for a symbolic dim, once for each; where not given, 1 "
               "for a batch and 128 for others");
  command
      ->add_option("--threads", subject.threads,
                   "Threads to run on; all that the process may use when not "
                   "given")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  command
      ->add_option("--seconds", arguments->seconds,
                   "Measure for at least so long")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str()
      ->type_name("S");
  addGenerateOptions(*command, arguments->compile);
  command
      ->add_option("--prompt", subject.prompt,
                   "Of a model compiled for generation: tokens to read first; "
                   "512, if the model admits them")
      ->check(CLI::Range(1, 1 << 24))
      ->type_name("N");
  command
      ->add_option("--tokens", subject.tokens,
                   "Of such a model: tokens to time after the first one, each "
                   "by itself; 64, if the model admits them")
      ->check(CLI::Range(1, 1 << 24))
      ->type_name("N");
  command
      ->add_option("--json", arguments->jsonFile,
                   "Write the report, with the time of every run, to this file "
                   "instead")
      ->type_name("FILE");
  addTraceOption(*command, arguments->traceFile);
  command->callback([arguments] {
    try {
      bench(*arguments);
    } catch (const Interrupt::Caught &) {
      Interrupt::die();
    }
  });
}
