//===- Expr.cpp - values of the size expressions in a manifest ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Expr.h"

#include "tools/ingot/io/Tensor.h"

#include <algorithm>
#include <cctype>
#include <charconv>

using namespace ingot::cli;

namespace {

/// Recursive descent; text comes from a file, so depth is bounded.
class Parser {
public:
  Parser(std::string_view text, const Symbols &symbols)
      : text(text), symbols(symbols) {}

  int64_t all() {
    int64_t value = sum();
    space();
    if (at != text.size())
      fail("unexpected '" + std::string(1, text[at]) + "'");
    return value;
  }

private:
  [[noreturn]] void fail(const std::string &reason) {
    throw Error("expression '" + std::string(text) + "': " + reason);
  }
  void space() {
    while (at < text.size() && std::isspace((unsigned char)text[at]))
      ++at;
  }
  bool accept(char c) {
    space();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      fail(std::string("expected '") + c + "'");
  }
  static bool isWord(char c) {
    return std::isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
  }
  std::string_view word() {
    space();
    size_t end = at;
    while (end < text.size() && isWord(text[end]))
      ++end;
    std::string_view result = text.substr(at, end - at);
    at = end;
    return result;
  }
  bool acceptWord(std::string_view wanted) {
    size_t before = at;
    if (word() == wanted)
      return true;
    at = before;
    return false;
  }

  template <typename Op> int64_t checked(int64_t a, int64_t b, Op op) {
    int64_t result;
    if (op(a, b, &result))
      fail("the value does not fit in 64 bits");
    return result;
  }
  int64_t add(int64_t a, int64_t b) {
    return checked(a, b, [](int64_t x, int64_t y, int64_t *r) {
      return __builtin_add_overflow(x, y, r);
    });
  }
  int64_t sub(int64_t a, int64_t b) {
    return checked(a, b, [](int64_t x, int64_t y, int64_t *r) {
      return __builtin_sub_overflow(x, y, r);
    });
  }
  int64_t mul(int64_t a, int64_t b) {
    return checked(a, b, [](int64_t x, int64_t y, int64_t *r) {
      return __builtin_mul_overflow(x, y, r);
    });
  }
  int64_t floorDiv(int64_t a, int64_t b) {
    if (b < 1)
      fail("division by a number below one");
    return a / b - (a % b < 0);
  }

  int64_t sum() {
    if (++depth > 100)
      fail("too deeply nested");
    int64_t value = product();
    for (;;) {
      if (accept('+'))
        value = add(value, product());
      else if (accept('-'))
        value = sub(value, product());
      else
        break;
    }
    --depth;
    return value;
  }

  int64_t product() {
    int64_t value = factor();
    for (;;) {
      if (accept('*'))
        value = mul(value, factor());
      else if (acceptWord("floordiv"))
        value = floorDiv(value, factor());
      else if (acceptWord("ceildiv"))
        value = sub(0, floorDiv(sub(0, value), factor()));
      else if (acceptWord("mod")) {
        int64_t by = factor();
        value = sub(value, mul(floorDiv(value, by), by));
      } else
        return value;
    }
  }

  int64_t factor() {
    if (accept('-')) {
      if (++depth > 100)
        fail("too deeply nested");
      int64_t value = factor();
      --depth;
      return sub(0, value);
    }
    if (accept('(')) {
      int64_t value = sum();
      expect(')');
      return value;
    }
    if (accept('"')) {
      size_t end = text.find('"', at);
      if (end == std::string_view::npos)
        fail("unterminated name");
      std::string_view name = text.substr(at, end - at);
      at = end + 1;
      return symbol(name);
    }
    std::string_view name = word();
    if (name.empty())
      fail(at < text.size() ? "unexpected '" + std::string(1, text[at]) + "'"
                            : "it ends too early");
    if (std::isdigit((unsigned char)name[0])) {
      int64_t value = 0;
      auto [end, status] =
          std::from_chars(name.data(), name.data() + name.size(), value);
      if (status != std::errc() || end != name.data() + name.size())
        fail("'" + std::string(name) + "' is not a number");
      return value;
    }
    if (accept('('))
      return call(name);
    return symbol(name);
  }

  int64_t call(std::string_view name) {
    int64_t value = sum();
    while (accept(',')) {
      int64_t next = sum();
      if (name == "max")
        value = std::max(value, next);
      else if (name == "min")
        value = std::min(value, next);
      else if (name == "broadcast")
        value = value == 1 ? next : value;
      else
        fail("unknown function '" + std::string(name) + "'");
    }
    expect(')');
    return value;
  }

  int64_t symbol(std::string_view name) {
    auto it = symbols.find(name);
    if (it == symbols.end())
      fail("no value is given for '" + std::string(name) + "'");
    return it->second;
  }

  std::string_view text;
  const Symbols &symbols;
  size_t at = 0;
  int depth = 0;
};

} // namespace

int64_t ingot::cli::evaluate(std::string_view text, const Symbols &symbols) {
  return Parser(text, symbols).all();
}
