//===- MakeArtifact.cpp - an artifact that needs no compiler --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Writes the artifact of TestImage.c: for the first seed of the fuzzer and for
// hosts that are tried without the compiler.
#include "DecoderArtifact.h"

#include <cstdio>

int main(int argc, char **argv) {
  using namespace ingot::rt::test;
  std::string kind = argc == 3 ? argv[1] : "";
  if (kind != "test" && kind != "decoder") {
    std::fprintf(stderr, "usage: %s test|decoder OUT\n", argv[0]);
    return 2;
  }
  ingot::rt::Status status =
      kind == "test"
          ? ingot::writeArtifact({manifest(), image(), weights()}, argv[2])
          : ingot::writeArtifact(
                {decoderManifest(), image("decoder"), weights()}, argv[2]);
  if (!status.ok())
    std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
