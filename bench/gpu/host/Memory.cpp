//===- Memory.cpp - how fast weights come ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Driver.h"
#include "Steps.h"

#include <cstdio>

using namespace gpu;

namespace {

constexpr size_t bytes = size_t{2} << 30;
constexpr unsigned mostShared = 224 << 10;

void line(const char *what, double rate) {
  std::printf("| %s | %.0f |\n", what, rate * 1e-9);
}

/// The sum of every `step`th word.
uint32_t sumOf(size_t words, size_t step) {
  uint32_t sum = 0;
  for (size_t at = 0; at < words; at += step)
    sum += hash(static_cast<uint32_t>(at));
  return sum;
}

void expect(const Buffer &total, uint32_t sum, const char *what) {
  uint32_t got = total.all<uint32_t>()[0];
  if (got != sum)
    fail(std::string(what) + ": the sum is wrong");
}

void readByRing(const Kernel &stream, const Buffer &words, Buffer &total,
                unsigned blocks, unsigned chunkBytes, unsigned slots,
                uint32_t perBlock) {
  // Whole chunks, equally many a block.
  unsigned chunks = static_cast<unsigned>(bytes / chunkBytes / blocks);
  Shape shape = {blocks, 64, slots * (chunkBytes + 16)};
  auto run = [&] {
    stream(shape, words.address(), uint32_t{chunks}, uint32_t{chunkBytes},
           uint32_t{slots}, perBlock, total.address());
  };
  total.set(0);
  run();
  expect(total, sumOf(size_t{chunks} * blocks * chunkBytes / 4, chunkBytes / 4),
         "stream");
  double rate = double(chunks) * blocks * chunkBytes / seconds(7, run);
  std::printf("| %u | %u KiB | %u | %u KiB | %s | %.0f |\n", blocks,
              chunkBytes >> 10, slots, chunkBytes * slots >> 10,
              perBlock ? "apart" : "in turns", rate * 1e-9);
}

} // namespace

void gpu::measureMemory(const std::string &folder) {
  std::string ptx = folder + "/memory.ptx";
  Kernel fill(ptx, "fill"), readAll(ptx, "readAll"), stream(ptx, "stream");
  auto processors = static_cast<unsigned>(property(Property::Multiprocessors));
  Buffer words(bytes), total(4);
  fill({8 * processors, 1024}, words.address(), uint64_t{bytes / 4});

  std::puts("\n| 2 GiB | GB/s |\n|---|---|");
  {
    Buffer other(bytes);
    line("copied within the device, read and written",
         2 * bytes / seconds(7, [&] { copy(other, words); }));
  }
  uint32_t sum = sumOf(bytes / 4, 1);
  for (unsigned times : {1u, 2u, 16u}) {
    auto run = [&] {
      readAll({times * processors, 1024}, words.address(), uint64_t{bytes / 16},
              total.address());
    };
    total.set(0);
    run();
    expect(total, sum, "readAll");
    std::string what =
        "read by loads, blocks a multiprocessor: " + std::to_string(times);
    line(what.c_str(), bytes / seconds(7, run));
  }

  std::puts("\n| blocks | chunk | slots | ring | chunks of a block | GB/s "
            "|\n|---|---|---|---|---|---|");
  for (unsigned chunk : {2u << 10, 4u << 10, 8u << 10, 16u << 10, 32u << 10})
    for (unsigned slots : {2u, 3u, 4u, 6u, 8u, 12u, 16u})
      if (slots * (chunk + 16) <= mostShared && slots * chunk >= 16 << 10)
        readByRing(stream, words, total, processors, chunk, slots, 1);
  for (unsigned blocks : {64u, 96u, 128u, processors})
    readByRing(stream, words, total, blocks, 16 << 10, 8, 1);
  for (unsigned chunk : {4u << 10, 16u << 10})
    readByRing(stream, words, total, processors, chunk, 8, 0);
  readByRing(stream, words, total, 2 * processors, 16 << 10, 6, 1);
}
