//===- DimExprTest.cpp - symbolic dimension expressions -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/DimExpr.h"

#include <gtest/gtest.h>

#include <random>

using namespace ingot;

namespace {

DimExpr parsed(llvm::StringRef text) {
  std::optional<DimExpr> expr = DimExpr::parse(text);
  EXPECT_TRUE(expr.has_value()) << text.str();
  return expr.value_or(DimExpr());
}

TEST(DimExprTest, EqualByRingArithmetic) {
  EXPECT_EQ(parsed("a + b"), parsed("b + a"));
  EXPECT_EQ(parsed("(a + 1) * (b + 2)"), parsed("a * b + 2 * a + b + 2"));
  EXPECT_EQ(parsed("a - a"), DimExpr::constant(0));
  EXPECT_NE(parsed("a * b"), parsed("a + b"));
  EXPECT_EQ(parsed("2 * seq * batch + 1").str(), "batch * seq * 2 + 1");
}

TEST(DimExprTest, DivisionsOfExporters) {
  // A whole product divided by a factor; the idioms of two strided layers.
  EXPECT_EQ(parsed("(batch * seq * 384) // (seq * 12)"), parsed("batch * 32"));
  EXPECT_EQ(parsed("(x // 2 - 2) // 2 + 1"), parsed("x // 4"));
  EXPECT_EQ(parsed("(4 * a + 3) // 4"), parsed("a"));
  EXPECT_EQ(parsed("(4 * a + 5) // 4"), parsed("a + 1"));
  EXPECT_EQ(parsed("(a * a - b * b) // (a - b)"), parsed("a + b"));
  EXPECT_EQ(parsed("a mod 1"), DimExpr::constant(0));
  EXPECT_FALSE(parsed("a + 1").dividedBy(parsed("a")).has_value());
}

TEST(DimExprTest, Choices) {
  EXPECT_EQ(parsed("max(a + 1, a)"), parsed("a + 1"));
  EXPECT_EQ(parsed("max(max(a, b), b)"), parsed("max(b, a)"));
  EXPECT_EQ(parsed("min(a, min(a, b))"), parsed("min(b, a)"));
  EXPECT_EQ(parsed("Min(3, 5)"), DimExpr::constant(3));
  EXPECT_EQ(parsed("broadcast(a, 1)"), parsed("a"));
  EXPECT_EQ(parsed("broadcast(1, a)"), parsed("a"));
  EXPECT_EQ(parsed("broadcast(a, b)"), parsed("broadcast(b, a)"));
  EXPECT_EQ(parsed("broadcast(a, 7)"), DimExpr::constant(7));
}

TEST(DimExprTest, Bounds) {
  EXPECT_EQ(parsed("a * 2 + 3").lowerBound(), 3);
  EXPECT_EQ(parsed("3 - a").upperBound(), 3);
  EXPECT_EQ(parsed("a - b").lowerBound(), std::nullopt);
}

// Bounds are asked for at every level: the time must not double with each.
TEST(DimExprTest, DeepChoices) {
  DimExpr deep = DimExpr::symbol("a");
  for (int i = 0; i < 100; ++i) {
    std::string name = "s" + std::to_string(i);
    deep = DimExpr::max(deep, DimExpr::symbol(name) * DimExpr::constant(2));
    deep = DimExpr::min(deep, DimExpr::symbol(name + "x"));
  }
  EXPECT_EQ(deep.lowerBound(), 0);
  EXPECT_EQ((DimExpr::constant(3) - deep).upperBound(), 3);
}

TEST(DimExprTest, RejectsWhatIsNoExpression) {
  for (llvm::StringRef text : {"", "a +", "(a", "a b", "1 / 2", "f(a, b)",
                               "max(a)", "a ^ b", "99999999999999999999"})
    EXPECT_FALSE(DimExpr::parse(text).has_value()) << text.str();
  EXPECT_FALSE(DimExpr::parse(std::string(1000, '(')).has_value());
}

TEST(DimExprTest, EvaluationRefusesOverflowAndBadDivisors) {
  auto value = [](llvm::StringRef name) -> std::optional<int64_t> {
    if (name == "big")
      return INT64_MAX;
    return name == "zero" ? std::optional<int64_t>(0) : std::nullopt;
  };
  EXPECT_EQ(parsed("big * 2").evaluate(value), std::nullopt);
  EXPECT_EQ(parsed("big + 1").evaluate(value), std::nullopt);
  EXPECT_EQ(parsed("big // zero").evaluate(value), std::nullopt);
  EXPECT_EQ(parsed("unknown").evaluate(value), std::nullopt);
}

/// Random expressions mean the same after normalization and after a round trip
/// through their text: compared with an evaluation that normalizes nothing.
struct RandomExpression {
  std::mt19937 rng;
  int64_t a, b, c;

  int64_t pick(int64_t n) { return static_cast<int64_t>(rng() % n); }

  std::pair<DimExpr, int64_t> make(int depth) {
    if (depth == 0) {
      switch (pick(4)) {
      case 0:
        return {DimExpr::symbol("a"), a};
      case 1:
        return {DimExpr::symbol("b"), b};
      case 2:
        return {DimExpr::symbol("c"), c};
      default: {
        int64_t value = pick(9) - 2;
        return {DimExpr::constant(value), value};
      }
      }
    }
    auto [x, vx] = make(depth - 1);
    auto [y, vy] = make(depth - 1);
    switch (pick(6)) {
    case 0:
      return {x + y, vx + vy};
    case 1:
      return {x - y, vx - vy};
    case 2:
      return {x * y, vx * vy};
    case 3:
      return {DimExpr::max(x, y), std::max(vx, vy)};
    case 4:
      return {DimExpr::min(x, y), std::min(vx, vy)};
    default: {
      int64_t n = pick(5) + 1;
      int64_t quotient = vx / n - (vx % n != 0 && vx < 0);
      return {DimExpr::floorDiv(x, DimExpr::constant(n)), quotient};
    }
    }
  }
};

TEST(DimExprTest, NormalFormKeepsTheValue) {
  RandomExpression random{std::mt19937(7), 0, 0, 0};
  for (int i = 0; i < 3000; ++i) {
    random.a = random.pick(12);
    random.b = random.pick(12);
    random.c = random.pick(12);
    auto [expr, value] = random.make(3);
    auto lookup = [&](llvm::StringRef name) -> std::optional<int64_t> {
      return name == "a" ? random.a : name == "b" ? random.b : random.c;
    };
    ASSERT_EQ(expr.evaluate(lookup), value) << expr.str();
    std::optional<DimExpr> again = DimExpr::parse(expr.str());
    ASSERT_TRUE(again.has_value()) << expr.str();
    ASSERT_EQ(*again, expr) << expr.str();
    std::optional<int64_t> low = expr.lowerBound(), high = expr.upperBound();
    ASSERT_TRUE(!low || *low <= value) << expr.str();
    ASSERT_TRUE(!high || *high >= value) << expr.str();
  }
}

} // namespace
