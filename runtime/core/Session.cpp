//===- Session.cpp - runs a model -----------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Session.h"

#include "runtime/core/PagePool.h"
#include "runtime/cpu/FloatEnvironment.h"
#include "runtime/cpu/Patience.h"
#include "runtime/cpu/ProcessState.h"
#include "runtime/cpu/WorkerCount.h"

#include <cmath>
#include <utility>

using namespace ingot::rt;

// Images carry no type hashes for the sanitizer's check of indirect calls.
#if defined(__clang__)
#define INGOT_CALLS_IMAGE __attribute__((no_sanitize("function")))
#else
#define INGOT_CALLS_IMAGE
#endif

static constexpr int maxThreads = 1024;
/// Longer time limits are as good as none, and would overflow the clock.
static constexpr double maxTimeLimit = 1e9;

/// What one run needs. Kept for later runs, so that a busy session allocates
/// nothing.
struct Session::Context {
  /// Makes room for what the program's sizes function writes.
  void fit(const Program &program) {
    size_t outputDims = 0;
    for (const TensorInfo &output : *program.outputs)
      outputDims += output.dims.size();
    symbols.resize(std::max(symbols.size(), program.symbols->size() + 1));
    outDims.resize(std::max(outDims.size(), outputDims + 1));
  }

  alignas(64) int64_t barrier = 0;
  // Share its cache line with what stays as it is during a run.
  int64_t arenaBytes = 0;
  Mapping arena;
  // One element more than needed, so that the pointers are never null.
  std::vector<int64_t> symbols, outDims;
  std::vector<void *> inputs, outputs;
  /// Of the called programs.
  std::vector<std::vector<int64_t>> callSymbols;
  std::vector<IngotCall> calls;
  int32_t error = 0;
};

/// A context of the session's pool for the time of a run.
class Session::ContextLease {
public:
  explicit ContextLease(Session &session) : session(session) {
    {
      std::lock_guard lock(processMutex());
      if (!session.idleContexts.empty()) {
        context = std::move(session.idleContexts.back());
        session.idleContexts.pop_back();
        return;
      }
      // Room for its return, which must not fail.
      session.idleContexts.reserve(++session.contextCount);
    }
    context = std::make_unique<Context>();
  }
  ContextLease(const ContextLease &) = delete;
  ContextLease &operator=(const ContextLease &) = delete;
  ~ContextLease() {
    std::lock_guard lock(processMutex());
    if (context)
      session.idleContexts.push_back(std::move(context));
  }
  Context &operator*() { return *context; }

private:
  Session &session;
  std::unique_ptr<Context> context;
};

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

Result<std::unique_ptr<Session>>
Session::create(std::shared_ptr<const Model> model, SessionOptions options) {
  if (options.threads < 0 || options.threads > maxThreads)
    return failure(Code::InvalidArgument, "threads is ", options.threads,
                   ", expected 0 to ", maxThreads);
  std::unique_ptr<Session> session(
      new Session(std::move(model), std::move(options)));
  int available = availableWorkers();
  int asked = session->options.threads;
  session->workers = asked ? asked : available;
  session->team = Team::shared(session->workers);
  if (asked > available)
    session->log(LogLevel::Warning,
                 concat(asked,
                        " threads were asked for, but this process may "
                        "use only ",
                        available, " CPUs"));
  if (session->team->workers() < session->workers)
    session->log(LogLevel::Warning,
                 concat("the system gave only ", session->team->workers(),
                        " of ", session->workers, " threads"));
  session->workers = session->team->workers();
  return session;
}

Session::Session(std::shared_ptr<const Model> model, SessionOptions options)
    : model(std::move(model)), options(std::move(options)) {
  if (const std::optional<StateInfo> &state = this->model->manifest().state)
    pool = std::make_shared<PagePool>(*state, this->options.maxCacheBytes);
}

Session::~Session() = default;

void Session::log(LogLevel level, const std::string &message) const {
  if (options.log)
    options.log(level, message);
}

/// Whether the thread is in a host's callback, in the middle of a run.
static thread_local bool isTelling = false;

std::shared_ptr<Team> Session::currentTeam() {
  // The team that the callback holds up could not be waited for.
  if (isTelling)
    return Team::shared(1);
  {
    std::lock_guard lock(processMutex());
    if (team->isAlive())
      return team;
  }
  log(LogLevel::Info, "the process has forked: starting a new team");
  std::shared_ptr<Team> fresh = Team::shared(workers);
  std::lock_guard lock(processMutex());
  team = fresh;
  return fresh;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

INGOT_CALLS_IMAGE
static int32_t callSizes(IngotSizesFn sizes, const int64_t *dims,
                         int64_t workers, int64_t *symbols, int64_t *outDims,
                         int64_t *arenaBytes) {
  return sizes(dims, workers, symbols, outDims, arenaBytes);
}

/// Checks the dims that the program answered for one output.
static Status checkOutput(Output &output) {
  for (size_t axis = 0; axis < output.dims.size(); ++axis) {
    const Dim &declared = output.info->dims[axis];
    if (output.dims[axis] < 0 ||
        (declared.isStatic() && output.dims[axis] != declared.value))
      return failure(Code::Internal, "the program computed dim ", axis,
                     " of output '", output.info->name, "' as ",
                     output.dims[axis], ", declared as ", declared.str());
  }
  Result<size_t> bytes =
      tensorBytes(output.info->name, output.info->dtype, output.dims);
  if (!bytes.ok())
    return bytes.status();
  output.bytes = *bytes;
  return {};
}

Status Session::computeSizes(const Program &program, const BoundInputs &inputs,
                             int64_t workerCount, Context &context,
                             std::vector<Output> &all) const {
  context.fit(program);
  std::vector<int64_t> dims = inputs.dims;
  dims.push_back(0); // The pointer is never null.
  if (int32_t error = callSizes(program.sizes, dims.data(), workerCount,
                                context.symbols.data(), context.outDims.data(),
                                &context.arenaBytes))
    return failure(Code::InvalidArgument, model->errorMessage(error));

  const int64_t *next = context.outDims.data();
  for (const TensorInfo &info : *program.outputs) {
    Output output;
    output.info = &info;
    output.dims.assign(next, next + info.dims.size());
    next += info.dims.size();
    if (Status status = checkOutput(output); !status.ok())
      return status;
    all.push_back(std::move(output));
  }
  if (context.arenaBytes < 0)
    return failure(Code::Internal, "the program computed an arena of ",
                   context.arenaBytes, " bytes");
  if (options.maxArenaBytes &&
      static_cast<uint64_t>(context.arenaBytes) > options.maxArenaBytes)
    return failure(Code::OutOfMemory, "the run needs an arena of ",
                   context.arenaBytes, " bytes, more than the limit of ",
                   options.maxArenaBytes);
  return {};
}

/// Makes the mapping at least as large as asked; its content is lost.
static Status reserve(Mapping &arena, size_t bytes) {
  if (bytes <= arena.size() && arena.size() > 0)
    return {};
  arena = Mapping(); // Freed first: both at once might not fit.
  Result<Mapping> larger = Mapping::allocate(std::max<size_t>(bytes, 1));
  if (!larger.ok())
    return failure(larger.status().code(),
                   "cannot make the arena: ", larger.status().message());
  arena = std::move(*larger);
  arena.preferLargePages();
  return {};
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

namespace {
/// What the team's job gets.
struct Task {
  IngotEntryFn entry;
  IngotContext context;
  int64_t workers;
  bool isCrowded;
  TracedRun *traced;
  const std::function<bool(int64_t)> *tell;
};

/// A worker's own, so that workers do not share what they only read.
struct WorkerContext : IngotContext {
  WorkerContext(const Task &task, const FloatEnvironment &environment)
      : IngotContext(task.context), patience(task.isCrowded), task(task),
        environment(environment) {}

  Patience patience;
  const Task &task;
  const FloatEnvironment &environment;
};
} // namespace

INGOT_CALLS_IMAGE
static void runWorker(void *argument, int worker) {
  auto *task = static_cast<Task *>(argument);
  FloatEnvironment environment;
  WorkerContext context(*task, environment);
  context.trace = task->traced->logOf(worker);
  task->entry(&context, worker, task->workers);
}

static void relax(IngotContext *context) {
  static_cast<WorkerContext *>(context)->patience.wait(
      __atomic_load_n(context->barrier, __ATOMIC_RELAXED));
}

static int32_t tellHost(IngotContext *context, int64_t number) {
  auto *own = static_cast<WorkerContext *>(context);
  FloatEnvironment::Outside outside(own->environment);
  bool before = std::exchange(isTelling, true);
  bool goesOn = (*own->task.tell)(number);
  isTelling = before;
  return goesOn ? 0 : 1;
}

Status Session::outcome(const Context &context,
                        const RunControl &control) const {
  int32_t error = __atomic_load_n(&context.error, __ATOMIC_ACQUIRE);
  if (error != 0 && error != INGOT_ERROR_STOP)
    return failure(Code::RuntimeCheck, model->errorMessage(error));
  switch (control.reason()) {
  case Code::Ok:
    return {};
  case Code::TimeLimit:
    return failure(Code::TimeLimit, "the run's time limit has passed");
  default:
    return failure(control.reason(), "the run was cancelled");
  }
}

Status Session::execute(const Program &program, Context &context,
                        const RunOptions &run, const PageTables &pages,
                        const RunCalls &calls, Team &team, RunStats &stats) {
  context.barrier = 0;
  context.error = 0;
  double limit = run.timeLimit < maxTimeLimit ? run.timeLimit : 0;
  RunControl control(&context.error, &team,
                     std::chrono::duration_cast<std::chrono::nanoseconds>(
                         std::chrono::duration<double>(limit)),
                     run.cancel);
  Clock::time_point start = Clock::now();
  TeamLease lease(team, control);
  stats.waitMilliseconds =
      std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  if (!lease)
    return outcome(context, control);

  TracedRun traced(traces, program, team.workers());
  Task task{program.entry,
            {context.inputs.data(), context.outputs.data(),
             model->artifact().weights().data(), context.arena.data(),
             context.symbols.data(), &context.barrier, &context.error, relax,
             pages.tables, pages.pagesPerRow, nullptr,
             program.calls.empty() ? nullptr : context.calls.data(), tellHost},
            team.workers(),
            team.isCrowded(),
            &traced,
            &calls.tell};
  team.run(runWorker, &task);
  return outcome(context, control);
}

/// Sizes of the programs that are called; they share the arena.
Status Session::prepareCalls(const Program &program, const RunCalls &calls,
                             int64_t workerCount, Context &context) const {
  context.callSymbols.clear();
  context.calls.clear();
  int64_t arenaBytes = context.arenaBytes;
  for (size_t i = 0; i < program.calls.size(); ++i) {
    const Program &called = *program.calls[i];
    Result<BoundInputs> bound = bindInputs(*called.inputs, *called.symbols,
                                           calls.inputs[i], BindMode::DimsOnly);
    if (!bound.ok())
      return bound.status();
    Context sizes;
    std::vector<Output> outputs;
    if (Status status =
            computeSizes(called, *bound, workerCount, sizes, outputs);
        !status.ok())
      return status;
    arenaBytes = std::max(arenaBytes, sizes.arenaBytes);
    context.callSymbols.push_back(std::move(sizes.symbols));
  }
  context.arenaBytes = arenaBytes;
  if (Status status = reserve(context.arena, arenaBytes); !status.ok())
    return status;
  for (const std::vector<int64_t> &symbols : context.callSymbols)
    context.calls.push_back({context.arena.data(), symbols.data()});
  return {};
}

/// The program that the inputs decide for. Inputs that do not fit the model
/// are left to be refused by it.
Result<const Program *>
Session::programFor(std::span<const TensorView> inputs) const {
  const std::optional<DeciderInfo> &decider = model->manifest().decider;
  if (!decider)
    return &model->program();
  for (const TensorView &input : inputs) {
    if (input.name != decider->input ||
        input.dtype != static_cast<unsigned>(DType::Bool))
      continue;
    if (!input.data || input.bytes == 0)
      return failure(Code::InvalidArgument, "input '", decider->input,
                     "' has no data, but the dims of outputs depend on it");
    if (*static_cast<const unsigned char *>(input.data) == 0)
      return model->entry(decider->entry);
  }
  return &model->program();
}

Result<RunResult> Session::run(std::span<const TensorView> inputs,
                               std::span<const TensorView> outputs,
                               const RunOptions &options) {
  if (model->manifest().state)
    return failure(Code::InvalidArgument,
                   "the model was compiled for generation: its caches are "
                   "state, which a run does not have. Make a sequence "
                   "(ingot_sequence_create) and use ingot_generate or "
                   "ingot_step, or compile it without generate");
  Result<const Program *> program = programFor(inputs);
  if (!program.ok())
    return program.status();
  return runProgram(**program, inputs, outputs, options, {});
}

Result<RunResult> Session::runProgram(const Program &program,
                                      std::span<const TensorView> inputs,
                                      std::span<const TensorView> outputs,
                                      const RunOptions &options,
                                      const PageTables &pages,
                                      const RunCalls &calls) {
  Clock::time_point start = Clock::now();
  if (std::isnan(options.timeLimit) || options.timeLimit < 0)
    return failure(Code::InvalidArgument, "the time limit is ",
                   options.timeLimit, " seconds");
  Result<BoundInputs> bound =
      bindInputs(*program.inputs, *program.symbols, inputs, BindMode::WithData);
  if (!bound.ok())
    return bound.status();

  std::shared_ptr<Team> team = currentTeam();
  ContextLease lease(*this);
  Context &context = *lease;
  std::vector<Output> all;
  if (Status status =
          computeSizes(program, *bound, team->workers(), context, all);
      !status.ok())
    return status;
  if (Status status = placeOutputs(outputs, *bound, all); !status.ok())
    return status;
  if (Status status = prepareCalls(program, calls, team->workers(), context);
      !status.ok())
    return status;

  context.inputs = std::move(bound->data);
  context.inputs.push_back(nullptr);
  context.outputs.clear();
  for (const Output &output : all)
    context.outputs.push_back(output.data);
  context.outputs.push_back(nullptr);

  RunResult result;
  result.model = model;
  result.stats.arenaBytes = context.arenaBytes;
  result.stats.workers = team->workers();
  if (Status status =
          execute(program, context, options, pages, calls, *team, result.stats);
      !status.ok())
    return status;
  result.outputs = takeWanted(outputs, all);
  result.stats.milliseconds =
      std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return result;
}

Result<RunResult> Session::shapes(std::span<const TensorView> inputs) {
  Result<const Program *> chosen = programFor(inputs);
  if (!chosen.ok())
    return chosen.status();
  const Program &program = **chosen;
  Result<BoundInputs> bound =
      bindInputs(*program.inputs, *program.symbols, inputs, BindMode::DimsOnly);
  if (!bound.ok())
    return bound.status();
  Context context;
  RunResult result;
  result.model = model;
  if (Status status =
          computeSizes(program, *bound, workers, context, result.outputs);
      !status.ok())
    return status;
  result.stats.arenaBytes = context.arenaBytes;
  result.stats.workers = workers;
  return result;
}
