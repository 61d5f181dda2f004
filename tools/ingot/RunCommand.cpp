//===- RunCommand.cpp - ingot run -----------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Commands.h"
#include "tools/ingot/ModelFile.h"
#include "tools/ingot/Runtime.h"
#include "tools/ingot/Table.h"
#include "tools/ingot/io/Npy.h"

#include <cmath>
#include <memory>
#include <set>

using namespace ingot::cli;

namespace {
struct Arguments {
  std::string model, inputsFile, outputsFile, traceFile;
  std::vector<std::string> inputs;
  int threads = 0;
};
} // namespace

/// The inputs of both options; a name may be given once.
static std::vector<Tensor> readInputs(const Arguments &arguments) {
  std::vector<Tensor> tensors;
  if (!arguments.inputsFile.empty())
    tensors = readNpz(arguments.inputsFile);
  for (const std::string &pair : arguments.inputs) {
    size_t equals = pair.find('=');
    tensors.push_back(readNpy(pair.substr(equals + 1)));
    tensors.back().name = pair.substr(0, equals);
  }
  std::set<std::string> names;
  for (const Tensor &tensor : tensors)
    if (!names.insert(tensor.name).second)
      throw Error("input '" + tensor.name + "' is given twice");
  return tensors;
}

static std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

static std::vector<std::string> describe(const Tensor &tensor) {
  std::vector<std::string> row = {tensor.name, std::string(name(tensor.dtype)),
                                  shapeText(tensor.dims)};
  int64_t size = tensor.size();
  if (size == 0)
    return row;
  double least = tensor.asDouble(0), most = least, sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    double value = tensor.asDouble(i);
    // A NaN stays visible in all three.
    least = value < least || std::isnan(value) ? value : least;
    most = value > most || std::isnan(value) ? value : most;
    sum += value;
  }
  for (double value : {least, sum / double(size), most})
    row.push_back(number(value));
  return row;
}

static void run(const Arguments &arguments) {
  std::vector<Tensor> inputs = readInputs(arguments);
  ModelFile file = ModelFile::open(arguments.model);
  Model model = Model::load(file.path(), !file.verified());
  if (model.isGenerator())
    throw Error(arguments.model +
                ": was compiled for generation; its caches are state of a "
                "sequence, which a single run does not have. Generate from a "
                "program (docs/embed.md), or compile without --generate");
  Session session(model, arguments.threads);
  if (!arguments.traceFile.empty())
    session.startTrace();
  RunResult result = session.run(inputs);
  if (!arguments.traceFile.empty())
    session.writeTrace(arguments.traceFile);
  if (!arguments.outputsFile.empty())
    writeNpz(arguments.outputsFile, result.outputs);

  Table table({"output", "dtype", "shape", ">min", ">mean", ">max"});
  for (const Tensor &output : result.outputs)
    table.add(describe(output));
  std::fputs(table.str().c_str(), stdout);
  std::printf("ran in %.3f ms on %d thread%s, %s of scratch memory",
              result.milliseconds, result.workers,
              result.workers == 1 ? "" : "s",
              quantity(double(result.arenaBytes), "B").c_str());
  if (file.compileSeconds() >= 0)
    std::printf("; compiled in %.2f s", file.compileSeconds());
  std::printf("\n");
}

void ingot::cli::addTraceOption(CLI::App &command, std::string &file) {
  command
      .add_option("--trace", file,
                  "Write when each thread worked on which stage and when it "
                  "waited, for Perfetto and ingot explain")
      ->type_name("FILE.json");
}

void ingot::cli::addRunCommand(CLI::App &program, int &) {
  CLI::App *command = program.add_subcommand(
      "run", "Run a model once on arrays from numpy files and describe its "
             "outputs.");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("MODEL", arguments->model,
                   "An artifact, or an ONNX file (compiled in memory, cached)")
      ->required();
  command
      ->add_option("--input", arguments->inputs,
                   "An input's name and its .npy file; once for each")
      ->type_name("NAME=FILE.npy")
      ->allow_extra_args(false)
      ->check([](const std::string &text) -> std::string {
        size_t equals = text.find('=');
        bool good = equals != std::string::npos && equals > 0 &&
                    equals + 1 < text.size();
        return good ? "" : "'" + text + "' is not of the form NAME=FILE.npy";
      });
  command
      ->add_option("--inputs", arguments->inputsFile,
                   "Inputs by name, as numpy.savez writes them")
      ->type_name("FILE.npz");
  command
      ->add_option("--outputs", arguments->outputsFile,
                   "Write the outputs to this file")
      ->type_name("FILE.npz");
  command
      ->add_option("--threads", arguments->threads,
                   "Threads to run on; all that the process may use when not "
                   "given")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  addTraceOption(*command, arguments->traceFile);
  command->callback([arguments] { run(*arguments); });
}
