//===- NameListTest.cpp - many names in few words -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/NameList.h"

#include <gtest/gtest.h>

using ingot::cli::nameList;

TEST(NameList, WritesNumbersAsARange) {
  EXPECT_EQ(nameList({}), "");
  EXPECT_EQ(nameList({"past.0.key"}), "past.0.key");
  EXPECT_EQ(nameList({"x", "x", "x"}), "x");
  EXPECT_EQ(nameList({"past.0.key", "past.1.key"}), "past.{0,1}.key");
  EXPECT_EQ(nameList({"past.9.key", "past.10.key", "past.11.key"}),
            "past.{9..11}.key");
  EXPECT_EQ(nameList({"k0", "k2", "k4", "k6"}), "k{0,2..6}");
  EXPECT_EQ(nameList({"layer1", "layer11", "layer21"}), "layer{1,11..21}");
}

TEST(NameList, KeepsWhatIsNoRange) {
  EXPECT_EQ(nameList({"a", "b", "c"}), "a ... c");
  EXPECT_EQ(nameList({"k0", "k1", "k3"}), "k0 ... k3");
  EXPECT_EQ(nameList({"k1", "k0"}), "k1 ... k0");
  EXPECT_EQ(nameList({"k.0.v.0", "k.1.v.1"}), "k.0.v.0 ... k.1.v.1");
  EXPECT_EQ(nameList({"k", "k1"}), "k ... k1");
  EXPECT_EQ(nameList({"k99999999999999999999", "k1"}),
            "k99999999999999999999 ... k1");
}
