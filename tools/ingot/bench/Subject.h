//===- Subject.h - what is measured ---------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_BENCH_SUBJECT_H
#define INGOT_TOOLS_INGOT_BENCH_SUBJECT_H

#include "tools/ingot/Costs.h"
#include "tools/ingot/Runtime.h"
#include "tools/ingot/Sizes.h"

#include "runtime/core/Artifact.h"

#include <memory>
#include <string>
#include <vector>

namespace ingot::cli {

/// What one timed piece of a run does.
struct Work {
  /// "run", "prefill", "decode".
  std::string name;
  /// Zero where there are none.
  double tokens = 0;
  /// What the known stages compute and move; none if no stage is known.
  std::optional<double> flops, bytes;
  size_t stages = 0;
  /// Stages that are not in flops, or not in bytes.
  std::vector<const rt::StageInfo *> unknown;
  /// What the numbers above leave out or add, in words; may be empty.
  std::string note;

  /// Adds a stage list at sizes; once more if it runs again at other sizes.
  void add(const std::vector<rt::StageInfo> &list, const Symbols &values);
};

/// How long to do what.
struct SubjectOptions {
  std::vector<std::string> dims;
  int threads = 0;
  /// Tokens of generators; none: the usual number, as far as the model admits.
  std::optional<size_t> prompt, tokens;
};

/// A model at given sizes.
class Subject {
public:
  /// A model that is run, or one that generates. `name` is for messages. Throws
  /// Error where an option does not fit the model, RuntimeError.
  static std::unique_ptr<Subject>
  make(std::shared_ptr<const rt::Artifact> artifact, const std::string &path,
       const std::string &name, const SubjectOptions &options);
  virtual ~Subject() = default;

  /// Does all works once; the seconds that each took, one or several times.
  virtual std::vector<std::vector<double>> once() = 0;

  /// Does all works again, and writes when each worker did what.
  void trace(const std::string &path);

  const rt::Manifest &manifest() const { return artifact->manifest(); }
  const std::vector<Work> &works() const { return allWorks; }
  const Symbols &sizes() const { return values; }
  /// Dims, or other sizes, that the user did not give.
  const std::vector<std::string> &defaults() const { return chosen; }
  const std::vector<Tensor> &inputs() const { return tensors; }
  int threads() const { return session.threads(); }
  /// Tokens of a prompt, and how many are timed after it; 0 for what does not
  /// generate.
  size_t promptTokens() const { return prompt; }
  size_t newTokens() const { return tokens; }

protected:
  Subject(std::shared_ptr<const rt::Artifact> artifact, const Model &model,
          int threads)
      : artifact(std::move(artifact)), session(model, threads) {}

  std::shared_ptr<const rt::Artifact> artifact;
  Session session;
  std::vector<Work> allWorks;
  Symbols values;
  std::vector<std::string> chosen;
  std::vector<Tensor> tensors;
  size_t prompt = 0, tokens = 0;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_BENCH_SUBJECT_H
