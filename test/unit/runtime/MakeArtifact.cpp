//===- MakeArtifact.cpp - an artifact that needs no compiler --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Writes the artifact of TestImage.c: for the first seed of the fuzzer and for
// hosts that are tried without the compiler.
#include "TestArtifact.h"

#include <cstdio>

int main(int argc, char **argv) {
  using namespace ingot::rt::test;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s OUT\n", argv[0]);
    return 2;
  }
  ingot::rt::Status status =
      ingot::writeArtifact({manifest(), image(), weights()}, argv[1]);
  if (!status.ok())
    std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
