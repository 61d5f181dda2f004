//===- BoundsTest.cpp - sums of sizes that are not negative ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Bounds.h"

#include <gtest/gtest.h>

#include <random>

using namespace ingot;
using namespace ingot::prove;

namespace {

/// A sum, and what it is for given values of n, m, the number of workers and a
/// worker's number.
using Numbers = std::array<int64_t, 4>;
struct Sum {
  Poly poly;
  std::function<int64_t(const Numbers &)> value;
};

class BoundsTest : public testing::Test {
protected:
  /// A size of at least `least`.
  Sum size(const std::string &name, int64_t least, unsigned place) {
    Poly poly = terms.make(name, name, true, [&](const Poly &atom) {
      return std::vector<Formula>{atLeast(atom, least)};
    });
    return {poly, [=](const Numbers &numbers) { return numbers[place]; }};
  }

  Sum worker() {
    Poly poly = terms.make("worker", "worker", true, [&](const Poly &atom) {
      return std::vector<Formula>{atLeast(atom, 0),
                                  lessThan(atom, workers.poly)};
    });
    return {poly, [](const Numbers &numbers) { return numbers[3]; }};
  }

  static Sum number(int64_t value) {
    return {value, [=](const Numbers &) { return value; }};
  }
  static Sum add(const Sum &a, const Sum &b) {
    return {a.poly + b.poly,
            [=](const Numbers &n) { return a.value(n) + b.value(n); }};
  }
  static Sum times(const Sum &a, const Sum &b) {
    return {a.poly * b.poly,
            [=](const Numbers &n) { return a.value(n) * b.value(n); }};
  }
  Sum max(const Sum &a, const Sum &b) {
    return {terms.max({a.poly, b.poly}),
            [=](const Numbers &n) { return std::max(a.value(n), b.value(n)); }};
  }
  Sum min(const Sum &a, const Sum &b) {
    return {terms.min({a.poly, b.poly}),
            [=](const Numbers &n) { return std::min(a.value(n), b.value(n)); }};
  }
  Sum quotient(const Sum &a, int64_t divisor) {
    return {terms.floorDiv(a.poly, divisor), [=](const Numbers &n) {
              int64_t value = a.value(n), result = value / divisor;
              return result - (result * divisor > value);
            }};
  }

  Terms terms;
  Sum n = size("n", 0, 0), m = size("m", 1, 1), workers = size("workers", 1, 2),
      w = worker();
};

TEST_F(BoundsTest, ShowsWhatArenasNeed) {
  Bounds bounds(terms);
  auto shows = [&](const Sum &sum) { return bounds.isNonNegative(sum.poly); };
  EXPECT_TRUE(shows(add(max(n, m), times(number(-1), n))));
  EXPECT_TRUE(shows(add(n, times(number(-1), min(n, m)))));
  EXPECT_TRUE(shows(add(workers, add(number(-1), times(number(-1), w)))));
  // n rounded up to 64 is no less than n.
  Sum up = times(number(64), quotient(add(n, number(63)), 64));
  EXPECT_TRUE(shows(add(up, times(number(-1), n))));
  EXPECT_TRUE(shows(times(n, add(m, number(-1)))));
  // Rounded down to 64, it has lost less than that.
  Sum down = times(number(64), quotient(n, 64));
  Sum lost = add(n, times(number(-1), down));
  EXPECT_TRUE(shows(lost));
  EXPECT_TRUE(shows(add(number(63), times(number(-1), lost))));
}

TEST_F(BoundsTest, DoesNotShowWhatIsWrong) {
  Bounds bounds(terms);
  auto shows = [&](const Sum &sum) { return bounds.isNonNegative(sum.poly); };
  EXPECT_FALSE(shows(add(n, number(-1))));
  EXPECT_FALSE(shows(add(n, times(number(-1), m))));
  EXPECT_FALSE(shows(add(min(n, m), times(number(-1), n))));
  EXPECT_FALSE(shows(add(w, add(times(number(-1), workers), number(1)))));
  Sum down = times(number(64), quotient(n, 64));
  Sum lost = add(n, times(number(-1), down));
  EXPECT_FALSE(shows(add(number(62), times(number(-1), lost))));
}

/// Random sums: whatever is shown holds of every number that is tried.
TEST_F(BoundsTest, ShowsNothingThatIsWrong) {
  std::mt19937 random(7);
  auto below = [&](int64_t end) { return int64_t(random() % end); };
  std::function<Sum(unsigned)> any = [&](unsigned depth) -> Sum {
    if (depth == 0) {
      Sum leaves[] = {n, m, workers, w, number(below(7) - 2)};
      return leaves[below(5)];
    }
    Sum a = any(depth - 1), b = any(depth - 1);
    switch (below(6)) {
    case 0:
      return max(a, b);
    case 1:
      return min(a, b);
    case 2:
      return quotient(a, 1 + below(5));
    case 3:
      return times(a, depth == 1 ? b : number(below(9) - 4));
    default:
      return add(a, b);
    }
  };
  unsigned shown = 0;
  for (unsigned i = 0; i < 3000; ++i) {
    Sum sum = any(3);
    Bounds bounds(terms);
    if (!bounds.isNonNegative(sum.poly))
      continue;
    ++shown;
    for (unsigned trial = 0; trial < 60; ++trial) {
      int64_t range = trial < 30 ? 4 : 300, team = 1 + below(range);
      Numbers numbers = {below(range), 1 + below(range), team, below(team)};
      ASSERT_GE(sum.value(numbers), 0)
          << terms.text(sum.poly) << " with n = " << numbers[0]
          << ", m = " << numbers[1] << ", worker " << numbers[3] << " of "
          << team;
    }
  }
  // Else it would not have looked at much.
  EXPECT_GT(shown, 300u);
}

} // namespace
