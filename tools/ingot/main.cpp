//===- main.cpp - the user's driver ---------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Commands.h"
#include "tools/ingot/io/Tensor.h"

#include "ingot.h"

#include <cstdio>
#include <exception>
#include <new>

using namespace ingot::cli;

/// The program; what it throws is the caller's to report.
static int run(int argc, char **argv) {
  CLI::App program("Compiles transformer models from ONNX into one native "
                   "program and runs them.",
                   "ingot");
  program.set_version_flag("--version",
                           std::string("ingot ") + ingot_version());
  program.require_subcommand(1);
  program.footer("ingot COMMAND --help says more about a command.");

  int status = 0;
  addCompileCommand(program, status);
  addRunCommand(program, status);
  addCheckCommand(program, status);
  addBenchCommand(program, status);
  addExplainCommand(program, status);
  addMachineCommand(program, status);
  try {
    program.parse(argc, argv);
    if (std::fflush(stdout) != 0)
      throw Error("standard output cannot be written");
  } catch (const CLI::ParseError &error) {
    if (program.get_subcommands().empty() && !program.remaining().empty()) {
      std::fprintf(stderr,
                   "ingot: error: '%s' is neither a command nor an option\n"
                   "Run with --help for more information.\n",
                   program.remaining().front().c_str());
      return 2;
    }
    // Requests for help and the version are errors with status 0.
    return program.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc &) {
    std::fputs("ingot: error: out of memory\n", stderr);
  } catch (const std::exception &error) {
    std::fflush(stdout);
    std::fprintf(stderr, "ingot: error: %s\n", error.what());
  }
  return 1;
}
