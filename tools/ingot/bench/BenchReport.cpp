//===- BenchReport.cpp - what bench says ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/bench/BenchReport.h"

#include "tools/ingot/Table.h"

#include "lib/Machine/Machine.h"

#include <algorithm>
#include <map>

using namespace ingot::cli;
using namespace ingot::machine;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

/// Above this the machine was too busy for its numbers to mean much.
constexpr double calmSpread = 0.15;

namespace {
/// Rates and shares of a work; zero where its costs are not known.
struct Figures {
  Figures(const BenchReport &report, size_t index)
      : work(report.subject->works()[index]),
        time(report.rounds.summary(index)) {
    const Rounds &rounds = report.rounds;
    const Ceilings &ceilings = report.ceilings;
    if (std::optional<double> flops = work.flops) {
      floatShare = rounds.share(index, *flops, ceilings.floats());
      if (!ceilings.bytes().rates.empty())
        byteShare = rounds.share(index, *flops, ceilings.bytes());
    }
    if (std::optional<double> bytes = work.bytes)
      readShare = rounds.share(index, *bytes, ceilings.reads());
  }

  /// What it comes nearer to of arithmetic and memory.
  std::string bound() const {
    if (!work.flops || !work.bytes)
      return "";
    return floatShare >= readShare ? "arithmetic" : "memory";
  }
  double perSecond(double amount) const {
    return time.median > 0 ? amount / time.median : 0;
  }

  const Work &work;
  Summary time;
  double floatShare = 0, byteShare = 0, readShare = 0;
};
} // namespace

static std::string percent(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", value * 100);
  return text;
}

static std::string threadText(int threads) {
  return std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

/// The kinds of stages by how often they occur; the most frequent ones.
static std::string counted(const std::vector<const rt::StageInfo *> &stages) {
  constexpr size_t most = 4;
  std::map<std::string, int> counts;
  for (const rt::StageInfo *stage : stages)
    ++counts[stage->ops];
  std::vector<std::pair<int, std::string>> kinds;
  kinds.reserve(counts.size());
  for (const auto &[ops, count] : counts)
    kinds.emplace_back(-count, ops);
  std::sort(kinds.begin(), kinds.end());
  std::string text;
  for (size_t i = 0; i < kinds.size() && i < most; ++i)
    text += (i ? ", " : "") + kinds[i].second +
            (kinds[i].first < -1 ? " x" + std::to_string(-kinds[i].first) : "");
  return text + (kinds.size() > most ? ", ..." : "");
}

/// The model, the threads and the sizes.
static std::string heading(const BenchReport &report) {
  const Subject &subject = *report.subject;
  std::string sizes;
  auto put = [&](const std::string &name, size_t value) {
    sizes += (sizes.empty() ? "" : ", ") + name + "=" + std::to_string(value);
  };
  for (const auto &[name, value] : subject.sizes())
    put(name, size_t(value));
  if (subject.promptTokens()) {
    put("prompt", subject.promptTokens());
    put("tokens", subject.newTokens());
  }
  std::string out = report.name + " on " + threadText(subject.threads()) +
                    (sizes.empty() ? "" : ", ") + sizes + "\n";
  if (subject.defaults().empty())
    return out;
  out += "  sizes that were not given:";
  for (const std::string &name : subject.defaults())
    out += " " + name;
  return out + "\n";
}

static std::string timeTable(const std::vector<Figures> &all) {
  Table table({"", ">runs", ">median", ">least", ">most", ">10 % to 90 %",
               ">tokens/s"});
  for (const Figures &figures : all) {
    const Summary &time = figures.time;
    double tokens = figures.perSecond(figures.work.tokens);
    char rate[32] = "";
    if (tokens > 0)
      std::snprintf(rate, sizeof rate, "%.*f", tokens < 100 ? 1 : 0, tokens);
    table.add({figures.work.name, std::to_string(time.count),
               seconds(time.median), seconds(time.least), seconds(time.most),
               seconds(time.low) + " to " + seconds(time.high), rate});
  }
  return "\nTime\n" + table.str();
}

static std::string workTable(const std::vector<Figures> &all) {
  Table table({"", ">computes", ">rate", ">of FMA peak", ">moves", ">rate",
               ">of reads", "bound by"});
  std::string notes;
  for (const Figures &figures : all) {
    const Work &work = figures.work;
    auto amount = [&](const std::optional<double> &value, const char *unit) {
      return value ? quantity(*value, unit) : "unknown";
    };
    auto rate = [&](const std::optional<double> &value, const char *unit) {
      return value ? quantity(figures.perSecond(*value), unit) : "";
    };
    table.add({work.name, amount(work.flops, "FLOP"),
               rate(work.flops, "FLOP/s"),
               work.flops ? percent(figures.floatShare) : "",
               amount(work.bytes, "B"), rate(work.bytes, "B/s"),
               work.bytes ? percent(figures.readShare) : "", figures.bound()});
    if (!work.note.empty())
      notes += "  " + work.name + ": " + work.note + "\n";
    if (!work.unknown.empty())
      notes += "  " + work.name + ": without " +
               std::to_string(work.unknown.size()) + " of " +
               std::to_string(work.stages) +
               " stages, of unknown cost: " + counted(work.unknown) + "\n";
    if (figures.floatShare > 1 && figures.byteShare > 0)
      notes += "  " + work.name + ": " + percent(figures.byteShare) +
               " of the int8 peak, if all products are of bytes\n";
    if (figures.readShare > 1)
      notes += "  " + work.name +
               ": more than memory delivers; part of it stays in caches\n";
  }
  return "\nWork, of all stages\n" + table.str() + notes;
}

static std::string ceilingTable(const Ceilings &ceilings) {
  Table table({"", ">median", ">10 % to 90 %", "how"});
  double worst = 0;
  auto add = [&](const char *name, const Ceiling &ceiling, const char *unit,
                 const std::string &how) {
    if (ceiling.rates.empty())
      return;
    Summary rates = summarize(ceiling.rates);
    worst = std::max(worst, rates.spread());
    table.add({name, quantity(rates.median, unit),
               quantity(rates.low, unit) + " to " + quantity(rates.high, unit),
               how});
  };
  auto products = [&](const ComputeKernel &kernel, const Ceiling &rates) {
    std::string how = kernel.isa;
    double perCycle = ceilings.perCycle(kernel, rates);
    if (perCycle == 0)
      return how;
    char text[96];
    std::snprintf(text, sizeof text, ": at best %.2f x %d products a cycle",
                  perCycle, int(kernel.lanes));
    return how + text;
  };
  add("FMA peak", ceilings.floats(), "FLOP/s",
      products(floatKernel(), ceilings.floats()));
  if (const ComputeKernel *kernel = byteKernel())
    add("int8 peak", ceilings.bytes(), "OP/s",
        products(*kernel, ceilings.bytes()));
  const ReadKernel &reader = ceilings.reader();
  add("reads", ceilings.reads(), "B/s",
      std::string(reader.isa) + ": " +
          quantity(double(ceilings.bufferBytes()), "B") + " in " +
          std::to_string(reader.streams) +
          (reader.streams == 1 ? " stream" : " streams") + " a thread");
  add("clock", ceilings.clock(), "Hz", "additions that wait for each other");
  std::string out = "\nCeilings of " + threadText(ceilings.threads()) + ", " +
                    std::to_string(ceilings.reads().rates.size()) +
                    " times in between\n" + table.str();
  if (worst > calmSpread)
    out += "  the machine was busy with other things: its own ceilings moved "
           "by " +
           percent(worst) + "\n";
  return out;
}

std::string BenchReport::text() const {
  if (!subject)
    return ceilingTable(ceilings).substr(1);
  std::vector<Figures> all;
  all.reserve(subject->works().size());
  for (size_t i = 0; i < subject->works().size(); ++i)
    all.emplace_back(*this, i);
  return heading(*this) + timeTable(all) + workTable(all) +
         ceilingTable(ceilings);
}

//===----------------------------------------------------------------------===//
// For programs
//===----------------------------------------------------------------------===//

static Json toJson(const Summary &summary) {
  return {{"count", summary.count}, {"median", summary.median},
          {"least", summary.least}, {"most", summary.most},
          {"low", summary.low},     {"high", summary.high}};
}

static Json machineJson() {
  return {{"cpu", cpuName()}, {"cpu_features", cpuFeatures()}};
}

static Json ceilingsJson(const Ceilings &ceilings) {
  Json out = {{"threads", ceilings.threads()}};
  auto put = [&](const char *name, const Ceiling &ceiling, const char *unit,
                 Json more) {
    if (ceiling.rates.empty())
      return;
    more["unit"] = unit;
    more["rate"] = toJson(summarize(ceiling.rates));
    more["rates"] = ceiling.rates;
    out[name] = std::move(more);
  };
  auto products = [&](const ComputeKernel &kernel, const Ceiling &rates) {
    return Json{{"isa", kernel.isa},
                {"lanes", kernel.lanes},
                {"per_cycle", ceilings.perCycle(kernel, rates)}};
  };
  put("fma", ceilings.floats(), "flops/s",
      products(floatKernel(), ceilings.floats()));
  if (const ComputeKernel *kernel = byteKernel())
    put("int8", ceilings.bytes(), "operations/s",
        products(*kernel, ceilings.bytes()));
  put("reads", ceilings.reads(), "bytes/s",
      {{"isa", ceilings.reader().isa},
       {"streams", ceilings.reader().streams},
       {"buffer_bytes", ceilings.bufferBytes()}});
  put("clock", ceilings.clock(), "cycles/s", Json::object());
  return out;
}

static Json toJson(const Figures &figures, const Times &times) {
  const Work &work = figures.work;
  Json out = {{"name", work.name},
              {"seconds", toJson(figures.time)},
              {"rounds", times}};
  if (work.tokens > 0) {
    out["tokens"] = work.tokens;
    out["tokens_per_second"] = figures.perSecond(work.tokens);
  }
  if (work.flops) {
    out["flops"] = *work.flops;
    out["flops_per_second"] = figures.perSecond(*work.flops);
    out["share_of_fma_peak"] = figures.floatShare;
    if (figures.byteShare > 0)
      out["share_of_int8_peak"] = figures.byteShare;
  }
  if (work.bytes) {
    out["bytes"] = *work.bytes;
    out["bytes_per_second"] = figures.perSecond(*work.bytes);
    out["share_of_reads"] = figures.readShare;
  }
  if (!figures.bound().empty())
    out["bound_by"] = figures.bound();
  if (!work.note.empty())
    out["note"] = work.note;
  out["stages"] = work.stages;
  out["unknown_stages"] = Json::array();
  for (const rt::StageInfo *stage : work.unknown)
    out["unknown_stages"].push_back(
        {{"name", stage->name}, {"ops", stage->ops}, {"nodes", stage->nodes}});
  return out;
}

Json BenchReport::json() const {
  Json out = {{"machine", machineJson()}, {"ceilings", ceilingsJson(ceilings)}};
  if (!subject)
    return out;
  const rt::Manifest &manifest = subject->manifest();
  out["model"] = {{"name", name},
                  {"source", manifest.source},
                  {"version", manifest.version},
                  {"options", manifest.options},
                  {"triple", manifest.triple},
                  {"cpu_features", manifest.cpuFeatures}};
  out["threads"] = subject->threads();
  out["dims"] = Json::object();
  for (const auto &[name, value] : subject->sizes())
    out["dims"][name] = value;
  if (subject->promptTokens()) {
    out["prompt"] = subject->promptTokens();
    out["tokens"] = subject->newTokens();
  }
  out["defaults"] = subject->defaults();
  out["inputs"] = Json::array();
  for (const Tensor &tensor : subject->inputs())
    out["inputs"].push_back({{"name", tensor.name},
                             {"dtype", ingot::cli::name(tensor.dtype)},
                             {"dims", tensor.dims}});
  for (size_t i = 0; i < subject->works().size(); ++i)
    out["works"].push_back(toJson(Figures(*this, i), rounds.times(i)));
  return out;
}
