//===- Subject.cpp - what is measured -------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/bench/Subject.h"

#include "tools/ingot/bench/MadeInputs.h"

#include <algorithm>

using namespace ingot::cli;
namespace rt = ingot::rt;

/// Tokens that are read in one pass, the runtime's own default.
constexpr size_t chunk = 512;
constexpr size_t usualPrompt = 512, usualTokens = 64;

void Work::add(const std::vector<rt::StageInfo> &list, const Symbols &values) {
  std::vector<StageCost> costs = costsOf(list, values);
  auto put = [&](std::optional<double> &to, Amount StageCost::*field) {
    bool isKnown = std::ranges::any_of(costs, [&](const StageCost &stage) {
      return !(stage.*field).isUnknown();
    });
    if (std::optional<double> sum = total(costs, field); sum && isKnown)
      to = to.value_or(0) + *sum;
  };
  put(flops, &StageCost::flops);
  put(bytes, &StageCost::bytes);
  if (stages != 0)
    return; // The same list at other sizes.
  stages = runsOf(list);
  for (const StageCost &stage : costs)
    if (stage.isUnknown())
      unknown.push_back(stage.info);
}

namespace {

/// A model that is run once at a time.
class PlainSubject : public Subject {
public:
  PlainSubject(std::shared_ptr<const rt::Artifact> given, const Model &model,
               const SubjectOptions &options)
      : Subject(std::move(given), model, options.threads) {
    values = readDims(options.dims, manifest().symbols);
    chosen = addDefaultSizes(manifest().symbols, values);
    for (const rt::TensorInfo &info : manifest().inputs)
      tensors.push_back(tensorAt(info, values));
    makeInputs();
    Work work;
    work.name = "run";
    work.tokens = tokenCount();
    work.add(manifest().stages, values);
    allWorks.push_back(std::move(work));
  }

  std::vector<std::vector<double>> once() override {
    return {{session.measure(tensors).milliseconds * 1e-3}};
  }

private:
  /// Integers are ones, which ids, kinds of tokens and masks admit; zeros where
  /// the model itself refuses ones.
  void makeInputs() {
    for (Tensor &tensor : tensors)
      fill(tensor, 1);
    try {
      session.measure(tensors);
    } catch (const RuntimeError &error) {
      if (error.status != INGOT_RUNTIME_CHECK)
        throw;
      for (Tensor &tensor : tensors)
        fill(tensor, 0);
    }
  }

  /// Elements of the first input that looks like ids: a row of integers for
  /// each batch.
  double tokenCount() const {
    for (const Tensor &tensor : tensors)
      if (tensor.dims.size() == 2 && !isFloat(tensor.dtype) &&
          tensor.dtype != Dtype::Bool)
        return double(tensor.size());
    return 0;
  }
};

/// A model that reads a prompt and writes tokens.
class GeneratorSubject : public Subject {
public:
  GeneratorSubject(std::shared_ptr<const rt::Artifact> given,
                   const Model &model, const std::string &name,
                   const SubjectOptions &options)
      : Subject(std::move(given), model, options.threads),
        state(*manifest().state) {
    bind(model, name, options);
    choosePrompt(model, name, options);
    addPrefill();
    addDecode();
  }

  std::vector<std::vector<double>> once() override {
    Generation generation = session.generate(tensors, ids, tokens);
    return {{generation.prefillSeconds}, generation.tokenSeconds};
  }

private:
  const rt::EntryInfo *entry(std::string_view name) const {
    for (const rt::EntryInfo &entry : manifest().entries)
      if (entry.name == name)
        return &entry;
    return nullptr;
  }

  /// What a sequence needs before its first token.
  void bind(const Model &model, const std::string &name,
            const SubjectOptions &options) {
    const rt::EntryInfo *binding = entry("bind");
    if (!binding && !options.dims.empty())
      throw Error(name + ": was compiled for generation; its sizes are given "
                         "by --prompt and --tokens, not by --dim");
    if (!binding)
      return;
    values = readDims(options.dims, binding->symbols);
    chosen = addDefaultSizes(binding->symbols, values);
    std::vector<TensorInfo> wanted = model.boundInputs();
    for (const rt::TensorInfo &info : binding->inputs)
      if (std::ranges::any_of(wanted, [&](const TensorInfo &other) {
            return other.name == info.name;
          })) {
        tensors.push_back(tensorAt(info, values));
        fill(tensors.back(), 1);
      }
  }

  void choosePrompt(const Model &model, const std::string &name,
                    const SubjectOptions &options) {
    ingot_generator_info info = model.generator();
    size_t most = info.max_positions ? size_t(info.max_positions) : SIZE_MAX;
    tokens = options.tokens.value_or(std::min(usualTokens, most / 4));
    if (tokens < most)
      prompt = options.prompt.value_or(std::min(usualPrompt, most - tokens));
    if (prompt == 0 || prompt > most - tokens)
      throw Error(
          name + ": the model admits " + std::to_string(most) +
          " positions, too few for " +
          (prompt ? "a prompt of " + std::to_string(prompt) + " and " : "") +
          std::to_string(tokens) + " more tokens");
    if (!options.prompt)
      chosen.emplace_back("prompt");
    if (!options.tokens)
      chosen.emplace_back("tokens");
    ids = madePrompt(prompt, info.vocab_size);
  }

  /// The sizes of a program that reads `count` tokens of one sequence.
  Symbols sizesFor(const std::vector<rt::TensorInfo> &inputs,
                   size_t count) const {
    Symbols sizes;
    for (const rt::TensorInfo &info : inputs)
      if (info.name == state.tokensInput && info.dims.size() == 2) {
        const int64_t extents[] = {1, int64_t(count)};
        for (size_t i = 0; i < 2; ++i)
          if (!info.dims[i].isStatic())
            sizes[info.dims[i].text] = extents[i];
      }
    return sizes;
  }

  void addPrefill() {
    Work work;
    work.name = "prefill";
    work.tokens = double(prompt);
    for (size_t done = 0; done < prompt; done += chunk)
      work.add(manifest().stages,
               sizesFor(manifest().inputs, std::min(chunk, prompt - done)));
    if (prompt > chunk)
      work.note = "without attention to tokens of earlier passes of " +
                  std::to_string(chunk);
    allWorks.push_back(std::move(work));
  }

  void addDecode() {
    Work work;
    work.name = "decode";
    work.tokens = 1;
    const rt::EntryInfo *one = entry("decode");
    const std::vector<rt::TensorInfo> &inputs =
        one ? one->inputs : manifest().inputs;
    work.add(one ? one->stages : manifest().stages, sizesFor(inputs, 1));
    if (work.bytes)
      *work.bytes += cacheBytes(prompt + (tokens + 1) / 2);
    work.note = "bytes with the cache that is read in the middle, flops "
                "without attention to it";
    allWorks.push_back(std::move(work));
  }

  /// What attention reads for one token after `length` others.
  double cacheBytes(size_t length) const {
    double sum = 0;
    for (const rt::CacheInfo &cache : state.caches) {
      const rt::CacheGroup &group = state.groups[cache.group];
      size_t positions = length;
      if (group.isBound)
        positions = size_t(state.boundLength.isStatic()
                               ? state.boundLength.value
                               : evaluate(state.boundLength.text, values));
      else if (group.window)
        positions = std::min(positions, size_t(group.window));
      sum += double(positions) * double(bytesPerToken(cache));
    }
    return sum;
  }

  const rt::StateInfo &state;
  std::vector<int64_t> ids;
};

} // namespace

void Subject::trace(const std::string &path) {
  // A few runs to choose from; a sequence has many as it is.
  int times = tokens ? 1 : 5;
  session.startTrace();
  for (int i = 0; i < times; ++i)
    once();
  session.writeTrace(path);
}

std::unique_ptr<Subject>
Subject::make(std::shared_ptr<const rt::Artifact> artifact,
              const std::string &path, const std::string &name,
              const SubjectOptions &options) {
  Model model = Model::load(path, /*verify=*/false);
  if (artifact->manifest().state)
    return std::make_unique<GeneratorSubject>(std::move(artifact), model, name,
                                              options);
  if (options.prompt || options.tokens)
    throw Error(name + ": --prompt and --tokens are for models that are "
                       "compiled with --generate");
  return std::make_unique<PlainSubject>(std::move(artifact), model, options);
}
