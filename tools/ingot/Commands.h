//===- Commands.h - the driver's commands ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_COMMANDS_H
#define INGOT_TOOLS_INGOT_COMMANDS_H

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace ingot::cli {

// Each adds one subcommand to the program. A chosen subcommand runs in its
// callback, sets `status` when it does not end in success and throws Error for
// what is the user's to mend.
void addCompileCommand(CLI::App &program, int &status);
void addRunCommand(CLI::App &program, int &status);
void addCheckCommand(CLI::App &program, int &status);
void addBenchCommand(CLI::App &program, int &status);
void addExplainCommand(CLI::App &program, int &status);
void addMachineCommand(CLI::App &program, int &status);

struct CompileOptions;
/// Adds --generate and --kv-type.
void addGenerateOptions(CLI::App &command, CompileOptions &options);
/// Adds --trace, a file to write.
void addTraceOption(CLI::App &command, std::string &file);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_COMMANDS_H
