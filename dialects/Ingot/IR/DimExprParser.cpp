//===- DimExprParser.cpp - reads dimension expressions --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   expression ::= ['-'] product (('+' | '-') product)*
//   product    ::= factor (('*' | '//' | '%' | 'floordiv' | ...) factor)*
//   factor     ::= integer | symbol | call '(' expression ',' expression ')'
//                | '(' expression ')'
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/DimExpr.h"

#include "llvm/ADT/StringExtras.h"

using namespace ingot;

namespace {

/// Deeper nesting than any exporter writes; bounds recursion on bad input.
constexpr int maxDepth = 64;

class Grammar {
public:
  explicit Grammar(DimTokens &tokens) : tokens(tokens) {}

  std::optional<DimExpr> expression(int depth = 0) {
    if (depth > maxDepth)
      return std::nullopt;
    bool negative = tokens.consume('-');
    std::optional<DimExpr> result = product(depth);
    if (result && negative)
      result = DimExpr() - *result;
    while (result) {
      bool plus = tokens.consume('+');
      if (!plus && !tokens.consume('-'))
        break;
      std::optional<DimExpr> next = product(depth);
      if (!next)
        return std::nullopt;
      result = plus ? *result + *next : *result - *next;
    }
    return result;
  }

private:
  std::optional<DimExpr> product(int depth) {
    std::optional<DimExpr> result = factor(depth);
    while (result) {
      std::string op;
      if (tokens.consume('*'))
        op = "*";
      else if (tokens.consume('/'))
        op = tokens.consume('/') ? "floordiv" : "";
      else if (tokens.consume('%'))
        op = "mod";
      else if (std::optional<std::string> word = tokens.identifier())
        op = *word;
      else
        break;
      std::optional<DimExpr> next = factor(depth);
      if (!next)
        return std::nullopt;
      if (op == "*")
        result = *result * *next;
      else if (op == "floordiv")
        result = DimExpr::floorDiv(*result, *next);
      else if (op == "ceildiv")
        result = DimExpr::ceilDiv(*result, *next);
      else if (op == "mod")
        result = DimExpr::mod(*result, *next);
      else
        return std::nullopt;
    }
    return result;
  }

  std::optional<DimExpr> factor(int depth) {
    if (std::optional<int64_t> value = tokens.integer())
      return DimExpr::constant(*value);
    if (tokens.consume('(')) {
      std::optional<DimExpr> inner = expression(depth + 1);
      if (!inner || !tokens.consume(')'))
        return std::nullopt;
      return inner;
    }
    if (tokens.consume('-')) {
      std::optional<DimExpr> inner = factor(depth + 1);
      if (!inner)
        return std::nullopt;
      return DimExpr() - *inner;
    }
    std::optional<std::string> name = tokens.identifier();
    if (!name)
      return std::nullopt;
    if (!tokens.consume('('))
      return DimExpr::symbol(*name);
    std::optional<DimExpr> a = expression(depth + 1);
    if (!a || !tokens.consume(','))
      return std::nullopt;
    std::optional<DimExpr> b = expression(depth + 1);
    if (!b || !tokens.consume(')'))
      return std::nullopt;
    std::string call = llvm::StringRef(*name).lower();
    if (call == "max")
      return DimExpr::max(*a, *b);
    if (call == "min")
      return DimExpr::min(*a, *b);
    if (call == "broadcast")
      return DimExpr::broadcast(*a, *b);
    return std::nullopt;
  }

  DimTokens &tokens;
};

class TextTokens : public DimTokens {
public:
  explicit TextTokens(llvm::StringRef text) : rest(text) {}

  bool consume(char punctuation) override {
    rest = rest.ltrim();
    return rest.consume_front(llvm::StringRef(&punctuation, 1));
  }
  std::optional<std::string> identifier() override {
    rest = rest.ltrim();
    if (rest.empty() || !(llvm::isAlpha(rest[0]) || rest[0] == '_'))
      return std::nullopt;
    llvm::StringRef name = rest.take_while([](char c) {
      return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$';
    });
    rest = rest.drop_front(name.size());
    return name.str();
  }
  std::optional<int64_t> integer() override {
    rest = rest.ltrim();
    llvm::StringRef digits = rest.take_while(llvm::isDigit);
    int64_t value;
    if (digits.empty() || digits.getAsInteger(10, value))
      return std::nullopt;
    rest = rest.drop_front(digits.size());
    return value;
  }
  bool atEnd() const { return rest.trim().empty(); }

private:
  llvm::StringRef rest;
};

} // namespace

std::optional<DimExpr> ingot::parseDimExpr(DimTokens &tokens) {
  return Grammar(tokens).expression();
}

std::optional<DimExpr> DimExpr::parse(llvm::StringRef text) {
  TextTokens tokens(text);
  std::optional<DimExpr> result = parseDimExpr(tokens);
  return result && tokens.atEnd() ? result : std::nullopt;
}
