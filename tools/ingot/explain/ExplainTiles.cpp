//===- ExplainTiles.cpp - how kernels are cut -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/explain/ExplainTiles.h"

#include "tools/ingot/Table.h"

#include <algorithm>

using namespace ingot::cli;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

/// What was tried for a shape: each size is a column.
static std::string triedText(const rt::TuningInfo &tuning) {
  std::vector<std::string> titles = {"kernels", "tile", ""};
  for (const std::string &size : tuning.sizes)
    titles.push_back(">" + size);
  Table table(titles);
  auto add = [&](std::vector<std::string> row,
                 const std::vector<double> &times) {
    for (double time : times)
      row.push_back(seconds(time));
    table.add(std::move(row));
  };
  for (const rt::TunedShape &shape : tuning.shapes)
    for (const rt::TriedTile &tried : shape.tried)
      add({&tried == &shape.tried.front() ? shape.of : "", tried.tile,
           tried.tile == shape.tile ? "taken" : ""},
          tried.seconds);
  if (!tuning.before.empty()) {
    add({"whole runs", "usual", ""}, tuning.before);
    add({"", "taken", ""}, tuning.after);
  }
  return "\nTuning, on " + std::to_string(tuning.workers) +
         (tuning.workers == 1 ? " thread\n" : " threads\n") + table.str();
}

std::string ingot::cli::tileText(const rt::Manifest &manifest,
                                 const std::vector<rt::StageInfo> &stages) {
  struct Line {
    const rt::CutInfo *cut;
    uint64_t times;
  };
  std::vector<Line> lines;
  for (const rt::StageInfo &stage : stages)
    for (const rt::CutInfo &cut : stage.cuts) {
      auto same = std::ranges::find_if(
          lines, [&](const Line &line) { return *line.cut == cut; });
      if (same == lines.end())
        lines.push_back({&cut, stage.times});
      else
        same->times += stage.times;
    }
  if (lines.empty())
    return "";
  Table table({"kernels", ">times", "tile"});
  for (const Line &line : lines)
    table.add({line.cut->of, std::to_string(line.times), line.cut->tile});
  return "\nTiles\n" + table.str() +
         (manifest.tuning ? triedText(*manifest.tuning) : "");
}

Json ingot::cli::tuningJson(const rt::TuningInfo &tuning) {
  Json out = {{"workers", tuning.workers},
              {"sizes", tuning.sizes},
              {"before", tuning.before},
              {"after", tuning.after}};
  out["shapes"] = Json::array();
  for (const rt::TunedShape &shape : tuning.shapes) {
    Json tried = Json::array();
    for (const rt::TriedTile &one : shape.tried)
      tried.push_back({{"tile", one.tile}, {"seconds", one.seconds}});
    out["shapes"].push_back(
        {{"of", shape.of}, {"tile", shape.tile}, {"tried", tried}});
  }
  return out;
}
