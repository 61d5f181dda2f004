//===- Report.h - what explain says ---------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_EXPLAIN_REPORT_H
#define INGOT_TOOLS_INGOT_EXPLAIN_REPORT_H

#include "tools/ingot/Costs.h"
#include "tools/ingot/explain/Measured.h"

#include "runtime/core/Artifact.h"

#include <nlohmann/json.hpp>

namespace ingot::cli {

/// What the machine can do at most, per second.
struct Roofline {
  double flops = 0, bytes = 0;
};

struct ReportOptions {
  /// What messages and the report call the model.
  std::string name;
  std::vector<std::string> dims;
  /// The program whose stages are told: "main", or an entry's name.
  std::string program = "main";
  /// A trace of the artifact's runs; may be empty.
  std::string traceFile;
  std::optional<Roofline> roofline;
};

/// The report: an artifact and the sizes to evaluate it at.
class Report {
public:
  /// `path` is the artifact's. Throws Error where an option does not fit it.
  Report(const rt::Artifact &artifact, const std::string &path,
         ReportOptions options);

  /// In lines of at most `width` where only stages' nodes make them longer.
  std::string text(size_t width) const;
  nlohmann::ordered_json json() const;

  const ReportOptions &about() const { return options; }
  const std::optional<Measured> &measured() const { return measurement; }
  const std::vector<rt::BufferInfo> &buffers() const { return *bufferList; }
  const std::vector<StageCost> &stages() const { return costs; }
  const Symbols &sizes() const { return values; }

private:
  void choose(const std::string &program);
  void planArena(const std::string &path);
  std::string origin() const;
  std::string signature() const;
  std::string entries() const;
  std::string recognised() const;
  std::string memory() const;
  std::string stageTable(size_t width) const;
  std::string stageSums() const;
  std::string measuredSums() const;
  /// Seconds that the stage takes, each time that it runs, where nothing but
  /// the machine's peaks limits it.
  std::optional<double> least(const StageCost &stage) const;

  const rt::Artifact &artifact;
  const rt::Manifest &manifest;
  ReportOptions options;
  // Of the program whose stages are told.
  const std::vector<rt::Symbol> *symbols = nullptr;
  const std::vector<rt::StageInfo> *stageList = nullptr;
  const std::vector<rt::BufferInfo> *bufferList = nullptr;
  const std::string *arenaText = nullptr;
  Symbols values;
  std::vector<StageCost> costs;
  std::optional<Measured> measurement;
  /// What the program itself plans at the given sizes, if all are given.
  std::optional<uint64_t> arena;
  int threads = 0;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_EXPLAIN_REPORT_H
