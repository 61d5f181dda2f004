//===- SolverTest.cpp - when one answer is another one's ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Solver.h"

#include <gtest/gtest.h>

using namespace ingot::prove;

namespace {

class SolverTest : public testing::Test {
protected:
  Poly unknown(const std::string &name, bool isShown = false) {
    return terms.make(name, name, isShown, [](const Poly &atom) {
      return std::vector<Formula>{atLeast(atom, 0)};
    });
  }

  Terms terms;
  Answers answers;
  Solver solver{terms, answers};
  Poly x = unknown("x"), y = unknown("y");
};

TEST_F(SolverTest, WhatIsAssumedIsOfOneAtom) {
  solver.assume({equal(x, 1)});
  EXPECT_TRUE(solver.prove({}, equal(x, 1)));
  EXPECT_FALSE(solver.prove({}, equal(y, 1)));
}

TEST_F(SolverTest, WhatIsNotAssumedAnyMore) {
  solver.assume({equal(x, 1)});
  EXPECT_TRUE(solver.prove({}, atLeast(x + y, 1)));
  solver.assume({equal(y, 0)});
  EXPECT_FALSE(solver.prove({}, atLeast(x + y, 1)));
  solver.assume({});
  EXPECT_FALSE(solver.prove({}, atLeast(x + y, 1)));
}

TEST_F(SolverTest, ProofsNeedNoMoreThanTheyNeed) {
  solver.assume({equal(x, 1), equal(y, 2)});
  EXPECT_TRUE(solver.prove({}, equal(x, 1)));
  unsigned queries = solver.numQueries();
  solver.assume({equal(x, 1), equal(y, 3)});
  EXPECT_TRUE(solver.prove({}, equal(x, 1)));
  EXPECT_EQ(solver.numQueries(), queries);
  solver.assume({equal(x, 2), equal(y, 2)});
  EXPECT_FALSE(solver.prove({}, equal(x, 1)));
}

TEST_F(SolverTest, FactsOfAssumptionsGoWithThem) {
  // That some number lies below x says that x is not zero.
  Poly below = terms.make("below", "below", false, [&](const Poly &atom) {
    return std::vector<Formula>{atLeast(atom, 0), lessThan(atom, x)};
  });
  solver.assume({atLeast(below, 0)});
  EXPECT_TRUE(solver.prove({}, atLeast(x, 1)));
  solver.assume({});
  EXPECT_FALSE(solver.prove({}, atLeast(x, 1)));
  // So does the product that follows from it.
  solver.assume({atLeast(below * y, 0)});
  EXPECT_TRUE(solver.prove({atLeast(y, 1)}, atLeast(x * y, 1)));
  solver.assume({});
  EXPECT_FALSE(solver.prove({atLeast(y, 1)}, atLeast(x * y, 1)));
}

TEST_F(SolverTest, OtherTermsShareAnswers) {
  Poly n = unknown("n", true);
  Outcome mine = solver.prove({}, atLeast(n, 3));
  Terms others;
  Solver second(others, answers);
  auto make = [&](const std::string &name) {
    return others.make(name, name, true, [](const Poly &atom) {
      return std::vector<Formula>{atLeast(atom, 0)};
    });
  };
  Poly unused = make("unused"), m = make("m");
  Outcome theirs = second.prove({}, atLeast(m, 3));
  EXPECT_EQ(second.numQueries(), 0u);
  ASSERT_EQ(mine.kind, Outcome::Kind::Refuted);
  ASSERT_EQ(theirs.kind, Outcome::Kind::Refuted);
  EXPECT_EQ(mine.text.substr(0, 4), "n = ");
  EXPECT_EQ(theirs.text, "m" + mine.text.substr(1));
  EXPECT_EQ(theirs.values.begin()->first, m.getTerms().begin()->first.front());
}

} // namespace
