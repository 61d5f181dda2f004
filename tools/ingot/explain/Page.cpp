//===- Page.cpp - explain's page for browsers -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/explain/Page.h"

// The text of page.html.
#include "PageTemplate.h"

using namespace ingot::cli;
using Json = nlohmann::ordered_json;

/// JSON that may stand in a script element: no text of a model can end it.
static std::string forScript(const Json &json) {
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string out;
  for (char c : text)
    out += c == '<' ? "\\u003c" : std::string(1, c);
  return out;
}

std::string ingot::cli::pageOf(const Report &report) {
  Json data = report.json();
  data["name"] = report.about().name;
  if (report.measured()) {
    Json workers = Json::array();
    for (const std::vector<Span> &line : report.measured()->workers()) {
      Json spans = Json::array();
      for (const Span &span : line)
        spans.push_back({span.stage, span.start, span.duration});
      workers.push_back(std::move(spans));
    }
    data["timeline"] = std::move(workers);
  }
  std::string page = pageTemplate;
  constexpr std::string_view place = "%REPORT%";
  return page.replace(page.find(place), place.size(), forScript(data));
}
