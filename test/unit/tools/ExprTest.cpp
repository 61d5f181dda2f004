//===- ExprTest.cpp - tests of size expressions ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Expr.h"

#include "tools/ingot/io/Tensor.h"

#include <gtest/gtest.h>

using namespace ingot::cli;

static int64_t value(std::string_view text) {
  return evaluate(text, {{"batch", 2}, {"seq", 7}, {"one", 1}, {"a b", 5}});
}

TEST(Expr, Arithmetic) {
  EXPECT_EQ(value("12"), 12);
  EXPECT_EQ(value("batch * seq * 384 + 12"), 2 * 7 * 384 + 12);
  EXPECT_EQ(value("seq - batch - 1"), 4);
  EXPECT_EQ(value("-(seq + 1) * 2"), -16);
  EXPECT_EQ(value("\"a b\" + 1"), 6);
}

TEST(Expr, Division) {
  EXPECT_EQ(value("seq floordiv 2"), 3);
  EXPECT_EQ(value("seq ceildiv 2 * 10"), 40);
  EXPECT_EQ(value("seq mod 4"), 3);
  EXPECT_EQ(value("(0 - seq) floordiv 2"), -4);
  EXPECT_EQ(value("(0 - seq) ceildiv 2"), -3);
  EXPECT_EQ(value("(0 - seq) mod 4"), 1);
}

TEST(Expr, Functions) {
  EXPECT_EQ(value("max(batch, seq, 3)"), 7);
  EXPECT_EQ(value("min(batch * 9, seq)"), 7);
  EXPECT_EQ(value("broadcast(one, seq) + broadcast(seq, one)"), 14);
}

TEST(Expr, Errors) {
  for (const char *text :
       {"", "1 +", "(1", "1)", "unknown", "seq floordiv 0", "seq mod (1 - 1)",
        "foo(1, 2)", "9223372036854775807 + 1", "99999999999999999999",
        "9223372036854775807 * seq", "\"a b", "1 $ 2", "12x", "1 2"})
    EXPECT_THROW(value(text), Error) << text;
  EXPECT_THROW(value(std::string(100000, '(')), Error);
  EXPECT_THROW(value(std::string(100000, '-') + "1"), Error);
}
