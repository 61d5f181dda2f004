//===- Trace.cpp - when each worker did what ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Trace.h"

#include "runtime/core/NewFile.h"

#include <algorithm>
#include <cstdio>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

using namespace ingot::rt;

/// Marks of a worker in one run, and of all workers in all runs.
static constexpr int64_t maxMarksOfRun = 1 << 16;
static constexpr uint64_t maxMarks = 1 << 24;

/// What an image reads when it makes a mark.
static int64_t cycleCounter() {
#if defined(__x86_64__)
  return static_cast<int64_t>(__rdtsc());
#elif defined(__aarch64__)
  int64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

Tracer::Reading Tracer::Reading::now() {
  return {cycleCounter(), Clock::now()};
}

void Tracer::start() {
  std::lock_guard lock(mutex);
  runs.clear();
  marks = runsLeftOut = 0;
  ++trace;
  begin = Reading::now();
  on.store(true, std::memory_order_relaxed);
}

void Tracer::add(Run run, bool isWhole, uint64_t of) {
  uint64_t count = 0;
  for (const std::vector<IngotTraceMark> &worker : run.workers)
    count += worker.size();
  std::lock_guard lock(mutex);
  if (of != trace)
    return;
  if (!isWhole || marks + count > maxMarks) {
    ++runsLeftOut;
    return;
  }
  marks += count;
  runs.push_back(std::move(run));
}

//===----------------------------------------------------------------------===//
// A run
//===----------------------------------------------------------------------===//

/// Of a program that calls others: turn after turn is one run.
static constexpr int64_t maxMarksOfCalls = 1 << 21;

TracedRun::TracedRun(Tracer &tracer, const Program &program, int workers)
    : tracer(tracer), program(program) {
  if (!tracer.isOn())
    return;
  {
    std::lock_guard lock(tracer.mutex);
    trace = tracer.trace;
  }
  logs.resize(workers);
  int64_t most = program.calls.empty() ? maxMarksOfRun : maxMarksOfCalls;
  for (WorkerLog &worker : logs) {
    worker.marks = std::make_unique_for_overwrite<IngotTraceMark[]>(most);
    worker.log = {worker.marks.get(), most, 0};
  }
}

TracedRun::~TracedRun() {
  if (logs.empty())
    return;
  Tracer::Run run{&program, {}};
  bool isWhole = true;
  for (const WorkerLog &worker : logs) {
    isWhole &= worker.log.count <= worker.log.capacity;
    int64_t kept = std::min(worker.log.count, worker.log.capacity);
    run.workers.emplace_back(worker.marks.get(), worker.marks.get() + kept);
  }
  tracer.add(std::move(run), isWhole, trace);
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

namespace {

/// Text as JSON has it, with its quotes.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// Writes a trace event by event, a buffer at a time.
class EventWriter {
public:
  /// `microseconds` is that of one tick.
  EventWriter(NewFile &file, int64_t begin, double microseconds)
      : file(file), begin(begin), microseconds(microseconds) {}

  /// Something of `worker` that lasted from `from` to `to`; `rest` are further
  /// fields.
  void span(std::string_view name, std::string_view kind, size_t thread,
            int64_t from, int64_t to, const std::string &rest) {
    char times[96];
    std::snprintf(times, sizeof times, ",\"ts\":%.3f,\"dur\":%.3f",
                  double(from - begin) * microseconds,
                  double(to - from) * microseconds);
    event(concat("{\"ph\":\"X\",\"pid\":1,\"tid\":", thread, ",\"name\":",
                 quoted(name), ",\"cat\":\"", kind, "\"", times, rest, "}"));
  }
  void nameOf(std::string_view what, size_t thread, std::string_view name) {
    event(concat("{\"ph\":\"M\",\"pid\":1,\"tid\":", thread, ",\"name\":\"",
                 what, "\",\"args\":{\"name\":", quoted(name), "}}"));
  }
  void text(std::string_view text) {
    buffer += text;
    if (buffer.size() > (1 << 20))
      flush();
  }
  /// Writes what is left; the first failure of all.
  Status finish() {
    flush();
    return status;
  }

private:
  void flush() {
    if (status.ok())
      status = file.write(buffer.data(), buffer.size());
    buffer.clear();
  }
  void event(const std::string &content) {
    text(isFirst ? "\n" : ",\n");
    text(content);
    isFirst = false;
  }

  NewFile &file;
  int64_t begin;
  double microseconds;
  bool isFirst = true;
  std::string buffer;
  Status status;
};

} // namespace

/// The thread that runs are shown on; worker w is shown on the one w + 1.
static constexpr size_t runsThread = 0;

/// The events of a run.
static void writeRun(EventWriter &out, const Program &program,
                     std::span<const std::vector<IngotTraceMark>> workers) {
  int64_t first = std::numeric_limits<int64_t>::max();
  int64_t last = std::numeric_limits<int64_t>::min();
  for (size_t worker = 0; worker < workers.size(); ++worker) {
    const std::vector<IngotTraceMark> &marks = workers[worker];
    // Whose stages these are.
    const Program *at = &program;
    // Whether a call is under way, its number and since when; worker 0 shows
    // calls.
    bool isInCall = false;
    size_t calls = 0;
    int64_t begin = 0;
    // What is said of all that belongs to a call.
    auto ofCall = [&] {
      return isInCall ? concat("\"call\":", calls) : std::string();
    };
    auto endCall = [&](int64_t ticks) {
      if (isInCall && worker == 0)
        out.span(at->name, "call", runsThread, begin, ticks,
                 concat(",\"args\":{", ofCall(),
                        ",\"workers\":", workers.size(), "}"));
      isInCall = false;
    };
    for (size_t i = 0; i < marks.size(); ++i) {
      first = std::min(first, marks[i].ticks);
      last = std::max(last, marks[i].ticks);
      if (i == 0)
        continue;
      int64_t from = marks[i - 1].ticks, to = marks[i].ticks;
      uint64_t number = marks[i].what;
      uint64_t call = INGOT_TRACE_CALL(0) - marks[i].what;
      if (marks[i].what == INGOT_TRACE_WAIT)
        out.span("wait", "wait", worker + 1, from, to,
                 concat(",\"args\":{", ofCall(), "}"));
      else if (marks[i].what == INGOT_TRACE_SINGLE) {
        endCall(from);
        out.span(program.name, "single", worker + 1, from, to, "");
      } else if (marks[i].what <= INGOT_TRACE_CALL(0)) {
        endCall(from);
        at = call < program.calls.size() ? program.calls[call] : &program;
        isInCall = true;
        ++calls;
        begin = to;
      } else if (number < at->stages->size()) {
        const StageInfo &stage = (*at->stages)[number];
        out.span(stage.ops, "stage", worker + 1, from, to,
                 concat(",\"args\":{\"stage\":", number, ",\"function\":",
                        quoted(stage.name), ",\"sync\":", quoted(stage.sync),
                        ",\"nodes\":", quoted(stage.nodes), isInCall ? "," : "",
                        ofCall(), "}"));
      }
    }
    if (!marks.empty())
      endCall(marks.back().ticks);
  }
  if (first < last)
    out.span(program.name, "run", runsThread, first, last,
             concat(",\"args\":{\"workers\":", workers.size(), "}"));
}

/// Adds what a worker did to the times of a run.
static void addTimes(const std::vector<IngotTraceMark> &marks, double scale,
                     StageTimes &times) {
  int64_t last = -1;
  for (size_t i = 1; i < marks.size(); ++i) {
    double seconds = double(marks[i].ticks - marks[i - 1].ticks) * scale;
    times.whole += seconds;
    if (marks[i].what >= 0)
      last = marks[i].what;
    if (last >= 0 && static_cast<size_t>(last) < times.stages.size())
      times.stages[last] += seconds;
  }
}

std::vector<StageTimes> Tracer::takeTimes() {
  std::lock_guard lock(mutex);
  on.store(false, std::memory_order_relaxed);
  Reading end = Reading::now();
  double ticks = double(end.ticks - begin.ticks);
  double perTick =
      ticks > 0
          ? std::chrono::duration<double>(end.time - begin.time).count() / ticks
          : 0;
  std::vector<StageTimes> all;
  for (const Run &run : runs) {
    StageTimes &times = all.emplace_back();
    times.program = run.program;
    times.stages.resize(run.program->stages->size());
    for (const std::vector<IngotTraceMark> &worker : run.workers)
      addTimes(worker, perTick / double(run.workers.size()), times);
  }
  runs.clear();
  ++trace;
  return all;
}

Status Tracer::write(const Model &model, const std::string &path) {
  std::lock_guard lock(mutex);
  if (!isOn())
    return failure(Code::InvalidArgument, "no trace was started");
  Reading end = Reading::now();
  double microseconds = 0;
  if (end.ticks > begin.ticks)
    microseconds =
        std::chrono::duration<double, std::micro>(end.time - begin.time)
            .count() /
        double(end.ticks - begin.ticks);
  NewFile file(path);
  if (Status status = file.open(NewFile::Access::Shared); !status.ok())
    return status;
  EventWriter out(file, begin.ticks, microseconds);
  out.text("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
  out.nameOf("process_name", runsThread, model.manifest().source);
  out.nameOf("thread_name", runsThread, "runs");
  size_t workers = 0;
  for (const Run &run : runs)
    workers = std::max(workers, run.workers.size());
  for (size_t worker = 0; worker < workers; ++worker)
    out.nameOf("thread_name", worker + 1, concat("worker ", worker));
  for (const Run &run : runs)
    writeRun(out, *run.program, run.workers);
  out.text(concat("\n],\"otherData\":{\"runs\":", runs.size(),
                  ",\"runs_left_out\":", runsLeftOut, "}}\n"));
  if (Status status = out.finish(); !status.ok())
    return status;
  if (Status status = file.finish(); !status.ok())
    return status;
  on.store(false, std::memory_order_relaxed);
  runs.clear();
  ++trace;
  return {};
}
