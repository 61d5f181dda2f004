//===- CompileCommand.cpp - ingot compile ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Commands.h"
#include "tools/ingot/Compiler.h"
#include "tools/ingot/Table.h"

#include <filesystem>
#include <map>
#include <memory>

using namespace ingot::cli;
namespace fs = std::filesystem;

namespace {
struct Arguments {
  std::string model, out;
  CompileOptions options;
};
} // namespace

static void compile(const Arguments &arguments) {
  const std::string &model = arguments.model, &out = arguments.out;
  std::error_code failed;
  if (!fs::exists(model, failed))
    throw Error(model + ": no such file");
  fs::path folder = fs::absolute(out).parent_path();
  if (!fs::is_directory(folder, failed))
    throw Error(out + ": the folder " + folder.string() + " does not exist");
  if (fs::equivalent(model, out, failed))
    throw Error(out + ": is the model itself");
  double seconds;
  {
    Progress progress("compiling " + fs::path(model).filename().string());
    Compiler::get().compile(model, out, arguments.options, &progress);
    seconds = progress.seconds();
  }
  uintmax_t bytes = fs::file_size(out, failed);
  std::printf("%s: %s, compiled in %.2f s\n", out.c_str(),
              quantity(failed ? 0 : double(bytes), "B").c_str(), seconds);
}

void ingot::cli::addGenerateOptions(CLI::App &command,
                                    CompileOptions &options) {
  CLI::Option *generate = command.add_flag(
      "--generate", options.generate,
      "Keep the cache of a decoder as state of the session: pasts, presents, "
      "masks and positions are no inputs and outputs any more");
  command
      .add_option("--kv-type", options.kvType,
                  "Element type of the cache; the model's own if not given")
      ->check(CLI::IsMember({"f32", "f16"}))
      ->needs(generate);
}

void ingot::cli::addCompileCommand(CLI::App &program, int &) {
  CLI::App *command = program.add_subcommand(
      "compile", "Compile an ONNX file to an artifact that runs anywhere the "
                 "runtime does.");
  auto arguments = std::make_shared<Arguments>();
  CompileOptions &options = arguments->options;
  command->add_option("MODEL.onnx", arguments->model, "The model")->required();
  command->add_option("-o,--output", arguments->out, "The artifact to write")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--target", options.target,
                   "The CPU to compile for: this machine's own, or a level "
                   "that others have too")
      ->check(CLI::IsMember({"native", "x86-64-v3", "x86-64-v3+avxvnni",
                             "x86-64-v4", "x86-64-v4+avx512vnni",
                             "x86-64-v4+avx512vnni+avx512bf16", "aarch64"}))
      ->capture_default_str();
  addGenerateOptions(*command, options);
  static const std::map<std::string, int> formats = {
      {"f32", 32}, {"int24", 24}, {"int16", 16}, {"int8", 8}};
  command
      ->add_option(
          "--activations", options.activationBits,
          "How activations meet weights of few bits (f32, "
          "int24, int16 or int8); without it as the model asks, else f32 "
          "beside 8 bits with a scale a column and int24 beside others")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case))
      ->type_name("FORMAT");
  command->add_flag("--verify-each", options.verifyEach,
                    "Verify the program after every pass");
  command->add_flag("--prove", options.prove,
                    "Prove that no two workers race or wait for ever, that "
                    "every element of every output is written and that no "
                    "live buffers overlap; print what was proved to standard "
                    "error, and fail where it cannot be");
  command->add_flag("--timing", options.timing,
                    "Print the time of each pass to standard error");
  command->add_flag("--erase-dims", options.eraseDims,
                    "Take every dim of every input as unknown");
  command
      ->add_option("--set", options.settings,
                   "Take an input for a constant: each of its elements is this "
                   "integer, true or false")
      ->type_name("NAME=VALUE");
  command
      ->add_option("--dim", options.dims,
                   "Compile for one size of a dim of the inputs alone")
      ->type_name("NAME=NUMBER");
  // The seconds may be left out.
  command
      ->add_option("--tune", options.tuneSeconds,
                   "Try other tiles by running the model, for so many seconds "
                   "beside those of compiling (10 if not given), and keep the "
                   "fastest; results stay the same to the bit")
      ->expected(0, 1)
      ->default_str("10")
      ->type_name("SECONDS");
  command
      ->add_option("--tune-from", options.tuneFrom,
                   "Take the tiles of an artifact that was tuned")
      ->type_name("ARTIFACT");
  command
      ->add_option("--tile", options.tiles,
                   "Cut the kernels of a shape, as `ingot explain` names it, "
                   "into tiles of so many rows by columns by sums at once")
      ->type_name("SHAPE=TILE");
  command
      ->add_option("--dump-dir", options.dumpDir,
                   "Write the program after each phase to this folder")
      ->type_name("FOLDER");
  // For tests of what a changed program does; not in the help.
  command->add_option("--stages-from", options.stagesFrom)->group("");
  command->callback([arguments] { compile(*arguments); });
}
