//===- main.cpp - continue rows of token ids ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Continues rows of token ids, all of them together:
//
//   continue MODEL.ingot COUNT [STOP...] < ROWS
//
// The model was compiled for generation. ROWS has a row a line, its ids
// separated by blanks; as many lines come back, each with the likeliest COUNT
// ids that follow, fewer where one of the STOP ids comes. Every step reads the
// tokens of all rows: prompts of any lengths first, then one token each. Rows
// that are complete leave.
#include <ingot.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

namespace {

/// A row: what it has read, what it reads next, and what was chosen so far.
struct Text {
  ingot::Sequence sequence;
  std::vector<int64_t> next;
  std::vector<int64_t> chosen;
};

/// A whole number that is not negative; throws if the text is none.
int64_t number(const char *text) {
  char *end = nullptr;
  errno = 0;
  long long value = std::strtoll(text, &end, 10);
  if (end == text || *end != '\0' || value < 0 || errno != 0)
    throw std::runtime_error("'" + std::string(text) + "' is not a number");
  return value;
}

std::vector<Text> readTexts(std::istream &input,
                            const ingot::Session &session) {
  std::vector<Text> texts;
  for (std::string line; std::getline(input, line);) {
    Text text{ingot::Sequence(session), {}, {}};
    std::istringstream words(line);
    for (int64_t id; words >> id;)
      text.next.push_back(id);
    if (!words.eof() || text.next.empty())
      throw std::runtime_error("line " + std::to_string(texts.size() + 1) +
                               " is not a row of ids");
    texts.push_back(std::move(text));
  }
  return texts;
}

/// Lets the texts read and chooses a token for each.
void step(const ingot::Session &session, const std::vector<Text *> &texts) {
  std::vector<ingot::Row> rows;
  for (const Text *text : texts)
    rows.push_back({&text->sequence, text->next});
  std::vector<float> logits = ingot::step(rows);
  size_t vocab = logits.size() / texts.size();
  float *own = logits.data();
  for (Text *text : texts) {
    int64_t id = ingot::sample(session, own, vocab, text->sequence.length());
    text->chosen.push_back(id);
    text->next = {id};
    own += vocab;
  }
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL.ingot COUNT [STOP...]\n", argv[0]);
    return 2;
  }
  try {
    size_t count = number(argv[2]);
    std::vector<int64_t> stops;
    for (int i = 3; i < argc; ++i)
      stops.push_back(number(argv[i]));

    ingot::Model model = ingot::Model::load(argv[1]);
    ingot::Session session(model);
    std::vector<Text> texts = readTexts(std::cin, session);
    auto isComplete = [&](const Text &text) {
      return text.chosen.size() == count ||
             (!text.chosen.empty() &&
              std::count(stops.begin(), stops.end(), text.chosen.back()));
    };
    for (;;) {
      std::vector<Text *> active;
      for (Text &text : texts)
        if (!isComplete(text))
          active.push_back(&text);
      if (active.empty())
        break;
      step(session, active);
    }
    for (const Text &text : texts) {
      for (int64_t id : text.chosen)
        std::printf("%lld ", static_cast<long long>(id));
      std::printf("\n");
    }
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
