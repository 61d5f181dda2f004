//===- TunedRuns.cpp - runs of a program that is being compiled -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/TunedRuns.h"

#include "dialects/Ingot/IR/DimExpr.h"
#include "lib/Machine/MadeInputs.h"

#include <algorithm>
#include <chrono>

using namespace ingot;

namespace {
/// Extents that open dims get: one for batches, one for others.
struct UsualSize {
  int64_t batch, other;
};
} // namespace

/// The rows of the kernels: few, many, a batch of many.
static constexpr UsualSize usualSizes[] = {{1, 16}, {1, 128}, {8, 128}};
/// Share of the time in which variants are run to compare them, and how often
/// each should be run in it.
static constexpr double runsShare = 0.3;
static constexpr size_t leastRuns = 4;

double TunedRuns::now() {
  return std::chrono::duration<double>(rt::Clock::now().time_since_epoch())
      .count();
}

TunedRuns::Variant *TunedRuns::find(size_t number) {
  auto found = std::ranges::find(variants, number, &Variant::number);
  return found == variants.end() ? nullptr : &*found;
}

TunedProgram &TunedRuns::program(size_t variant) {
  return find(variant)->program;
}

rt::Status TunedRuns::add(size_t number, TunedProgram program) {
  auto image =
      std::span(reinterpret_cast<const unsigned char *>(program.image.data()),
                program.image.size());
  auto artifact = rt::Artifact::fromParts(program.manifest, image, weights);
  if (!artifact.ok())
    return artifact.status();
  auto model = rt::Model::create(*artifact);
  if (!model.ok())
    return model.status();
  auto session = rt::Session::create(*model, {});
  if (!session.ok())
    return session.status();
  threads = (*session)->threads();
  Variant variant{number, std::move(program), std::move(*session), {}};
  for (const rt::StageInfo &stage : variant.program.manifest.stages) {
    std::vector<size_t> &indices = variant.shapesOfStages.emplace_back();
    for (const rt::CutInfo &cut : stage.cuts)
      for (size_t i = 0; i < shapes.size(); ++i)
        if (shapes[i].of == cut.of && !llvm::is_contained(indices, i))
          indices.push_back(i);
  }
  variants.push_back(std::move(variant));
  return {};
}

bool TunedRuns::prepare(size_t variant, llvm::ArrayRef<Tile> tiles) {
  // The usual one is there from the beginning.
  if (find(variant))
    return true;
  std::optional<TunedProgram> program = make(tiles);
  return program && add(variant, std::move(*program)).ok();
}

rt::Status TunedRuns::begin(TunedProgram usual, double seconds,
                            size_t variantCount) {
  double end = now() + seconds;
  if (rt::Status status = add(0, std::move(usual)); !status.ok())
    return status;
  return chooseSizes(variants.front(), end,
                     runsShare * seconds / double(leastRuns * variantCount));
}

rt::Result<std::vector<TunedRuns::Input>>
TunedRuns::makeInputs(const rt::Manifest &manifest,
                      const llvm::StringMap<int64_t> &values,
                      int64_t integer) const {
  auto valueOf = [&](llvm::StringRef name) -> std::optional<int64_t> {
    auto known = values.find(name);
    if (known == values.end())
      return std::nullopt;
    return known->second;
  };
  std::vector<Input> inputs;
  for (const rt::TensorInfo &info : manifest.inputs) {
    Input input{info.name, info.dtype, {}, {}};
    for (const rt::Dim &dim : info.dims) {
      std::optional<int64_t> value;
      if (dim.isStatic())
        value = dim.value;
      else if (std::optional<DimExpr> extent = DimExpr::parse(dim.text))
        value = extent->evaluate(valueOf);
      input.dims.push_back(std::max<int64_t>(value.value_or(1), 0));
    }
    auto bytes = rt::tensorBytes(info.name, info.dtype, input.dims);
    if (!bytes.ok())
      return bytes.status();
    input.data.resize(*bytes);
    machine::fill(input.data, info.dtype, info.name, integer);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

rt::Status TunedRuns::chooseSizes(Variant &variant, double end,
                                  double longest) {
  const rt::Manifest &manifest = variant.program.manifest;
  rt::Status reason;
  for (const UsualSize &usual : usualSizes) {
    llvm::StringMap<int64_t> values;
    std::string text;
    for (const rt::Symbol &symbol : manifest.symbols) {
      int64_t value = std::clamp(machine::namesBatch(symbol.name) ? usual.batch
                                                                  : usual.other,
                                 symbol.min, symbol.max);
      values[symbol.name] = value;
      text +=
          (text.empty() ? "" : " ") + symbol.name + "=" + std::to_string(value);
    }
    if (text.empty())
      text = "the only size";
    if (llvm::is_contained(texts, text))
      continue;
    // Integers are ones, or zeros where the model refuses ones.
    for (int64_t integer : {1, 0}) {
      auto inputs = makeInputs(manifest, values, integer);
      if (!inputs.ok())
        return inputs.status();
      double start = now();
      if (isCancelled() || start >= end)
        return {};
      reason = runOnce(variant, *inputs, end - start).status();
      if (reason.code() == rt::Code::TimeLimit || now() - start > longest)
        return {};
      if (!reason.ok())
        continue;
      sizes.push_back(std::move(*inputs));
      texts.push_back(text);
      break;
    }
  }
  return sizes.empty() ? reason : rt::Status();
}

rt::Result<rt::RunResult> TunedRuns::runOnce(Variant &variant,
                                             const std::vector<Input> &inputs,
                                             double limit) {
  std::vector<rt::TensorView> views;
  views.reserve(inputs.size());
  for (const Input &input : inputs)
    views.push_back({input.name, unsigned(input.dtype), input.dims,
                     const_cast<std::byte *>(input.data.data()),
                     input.data.size()});
  return variant.session->run(views, {}, {.timeLimit = limit});
}

std::optional<TrialRun> TunedRuns::run(size_t number, size_t size,
                                       double limit) {
  Variant *variant = find(number);
  if (!variant || limit <= 0)
    return std::nullopt;
  variant->session->tracer().start();
  bool isDone = runOnce(*variant, sizes[size], limit).ok();
  std::vector<rt::StageTimes> times = variant->session->tracer().takeTimes();
  if (!isDone || times.size() != 1)
    return std::nullopt;
  TrialRun run{times.front().whole, std::vector<double>(shapes.size())};
  // An input may have decided for the other program, whose stages are others.
  if (times.front().program->name != "main")
    return std::nullopt;
  for (auto [seconds, indices] :
       llvm::zip_equal(times.front().stages, variant->shapesOfStages))
    for (size_t i : indices)
      run.shapes[i] += seconds;
  return run;
}
