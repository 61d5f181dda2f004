//===- Session.h - runs a model -*- C++ -*- -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A session runs one model: it checks the inputs, asks the program for its
// sizes, provides the arena and the outputs and sets the team to work. Any
// number of threads may use one session.
#ifndef INGOT_RUNTIME_CORE_SESSION_H
#define INGOT_RUNTIME_CORE_SESSION_H

#include "runtime/core/Model.h"
#include "runtime/core/Outputs.h"
#include "runtime/core/Trace.h"
#include "runtime/cpu/RunControl.h"
#include "runtime/cpu/Team.h"

#include <functional>

namespace ingot::rt {

enum class LogLevel { Info = 0, Warning = 1 };

struct SessionOptions {
  /// 0: availableWorkers().
  int threads = 0;
  /// Largest arena of a run; 0 for no limit.
  uint64_t maxArenaBytes = 0;
  /// Most memory for pages of caches; 0 for no limit.
  uint64_t maxCacheBytes = 0;
  /// May be empty.
  std::function<void(LogLevel, const std::string &)> log;
};

struct RunOptions {
  /// Seconds; 0 for no limit.
  double timeLimit = 0;
  CancelToken *cancel = nullptr;
};

/// Pages that a run of a program with caches uses (IngotContext).
struct PageTables {
  const int64_t *const *tables = nullptr;
  int64_t pagesPerRow = 0;
};

/// What a run of a program that calls others has besides.
struct RunCalls {
  /// Inputs of the called programs, by the numbers of the calls. Only their
  /// dims matter: the data is what the program gives.
  std::span<const std::span<const TensorView>> inputs;
  /// Gets the program's numbers, on the thread of the run; false wants no more.
  std::function<bool(int64_t)> tell;
};

struct RunStats {
  double milliseconds = 0;
  double waitMilliseconds = 0;
  uint64_t arenaBytes = 0;
  int workers = 0;
};

/// What a run produced. Keeps the model alive, whose names it uses.
struct RunResult {
  std::shared_ptr<const Model> model;
  std::vector<Output> outputs;
  RunStats stats;
};

class PagePool;

class Session {
public:
  static Result<std::unique_ptr<Session>>
  create(std::shared_ptr<const Model> model, SessionOptions options);
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;
  ~Session();

  /// See ingot_session_run. Refuses a model with a state.
  Result<RunResult> run(std::span<const TensorView> inputs,
                        std::span<const TensorView> outputs,
                        const RunOptions &options = {});

  /// Runs one of the model's programs, with a state or without.
  Result<RunResult>
  runProgram(const Program &program, std::span<const TensorView> inputs,
             std::span<const TensorView> outputs, const RunOptions &options,
             const PageTables &pages, const RunCalls &calls = {});

  /// Output dims and arena for inputs of the given dims; the outputs have no
  /// data. An input that decides between programs must have its data.
  Result<RunResult> shapes(std::span<const TensorView> inputs);

  /// When the workers of the session's runs did what, while it is on.
  Tracer &tracer() { return traces; }

  /// Workers of a run, the caller included.
  int threads() const { return workers; }

  const Model &runsModel() const { return *model; }
  const std::shared_ptr<const Model> &sharedModel() const { return model; }
  /// The pages of the session's sequences; null if the model has no state.
  const std::shared_ptr<PagePool> &pages() const { return pool; }

private:
  struct Context;
  class ContextLease;

  Session(std::shared_ptr<const Model> model, SessionOptions options);

  Result<const Program *> programFor(std::span<const TensorView> inputs) const;
  std::shared_ptr<Team> currentTeam();
  Status computeSizes(const Program &program, const BoundInputs &inputs,
                      int64_t workerCount, Context &context,
                      std::vector<Output> &all) const;
  Status prepareCalls(const Program &program, const RunCalls &calls,
                      int64_t workerCount, Context &context) const;
  Status execute(const Program &program, Context &context,
                 const RunOptions &run, const PageTables &pages,
                 const RunCalls &calls, Team &team, RunStats &stats);
  Status outcome(const Context &context, const RunControl &control) const;
  void log(LogLevel level, const std::string &message) const;

  std::shared_ptr<const Model> model;
  SessionOptions options;
  int workers = 1;
  std::shared_ptr<PagePool> pool;
  Tracer traces;
  // Guarded by processMutex().
  std::shared_ptr<Team> team;
  std::vector<std::unique_ptr<Context>> idleContexts;
  size_t contextCount = 0;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_SESSION_H
