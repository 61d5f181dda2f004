//===- Matrix.cpp - the tensor cores' layouts -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Driver.h"
#include "Steps.h"

#include <cmath>
#include <cstdio>
#include <random>

using namespace gpu;

namespace {

using Words = std::vector<uint16_t>;

/// Random values of bfloat16.
Words randomBits(size_t count) {
  std::mt19937 numbers(std::random_device{}());
  Words words(count);
  for (uint16_t &word : words)
    word = static_cast<uint16_t>(weightBits(numbers()));
  return words;
}

/// a b' + add of rows of `depth`.
std::vector<double> times(const Words &a, const Words &b, size_t depth,
                          double add) {
  size_t rows = a.size() / depth, columns = b.size() / depth;
  std::vector<double> c(rows * columns, add);
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j)
      for (size_t k = 0; k < depth; ++k)
        c[i * columns + j] +=
            double(ofBfloat16(a[i * depth + k])) * ofBfloat16(b[j * depth + k]);
  return c;
}

/// How 64 rows of 64 values lie in shared memory.
struct Layout {
  const char *name;
  /// Bytes of a line, in which pieces of 16 are swapped; 16: they are not.
  unsigned line;
  /// The field of the descriptor for that.
  uint32_t swizzle;
};
constexpr Layout layouts[] = {{"none", 16, 0},
                              {"128 bytes", 128, 1},
                              {"64 bytes", 64, 2},
                              {"32 bytes", 32, 3}};

/// Where the value of a row and a column lies, in bytes: lines of so many
/// bytes, one for each row, stacked for all 64 rows; then the next columns. In
/// eight lines after each other pieces are swapped by exclusive or.
unsigned placeOf(const Layout &layout, unsigned row, unsigned column) {
  unsigned byte = column * 2, in = byte % layout.line;
  unsigned at = byte / layout.line * 64 * layout.line + row * layout.line + in;
  unsigned pieces = layout.line / 16;
  // Bits 4 to 6 of a place are those of the line's number in its 1024, 512 or
  // 256 bytes.
  return at ^ ((at >> 7) % pieces) << 4;
}

Words imageOf(const Layout &layout, const Words &matrix) {
  Words image(matrix.size());
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned column = 0; column < 64; ++column)
      image[placeOf(layout, row, column) / 2] = matrix[row * 64 + column];
  return image;
}

void checkWgmma(const std::string &ptx) {
  // More than the matrices need: wrong fields lead elsewhere.
  constexpr unsigned shared = 160 << 10;
  Kernel kernel(ptx, "wgmmaTile");
  Words a = randomBits(64 * 64), b = randomBits(64 * 64);
  std::vector<double> want = times(a, b, 64, 0);
  Buffer left(8192), right(8192), out(4 * 64 * 64);
  std::puts("\n| swapped within | bits 16 to 29 | bits 32 to 45 | next 16 "
            "columns | error |\n"
            "|---|---|---|---|---|");
  for (const Layout &layout : layouts) {
    left.write(imageOf(layout, a).data(), left.size());
    right.write(imageOf(layout, b).data(), right.size());
    uint32_t eight = 8 * layout.line, beside = 64 * layout.line;
    // 16 columns are 32 bytes: within a line, or in blocks of their own.
    uint32_t step = layout.line == 16   ? 2 * beside
                    : layout.line == 32 ? beside
                                        : 32;
    uint32_t pair = layout.line == 64 ? beside : 2 * step;
    struct Fields {
      uint32_t leading, stride;
    };
    for (Fields fields :
         {Fields{beside, eight}, Fields{eight, beside}, Fields{16, eight}}) {
      out.set(~0u);
      kernel({1, 128, shared}, left.address(), right.address(), out.address(),
             fields.leading, fields.stride, layout.swizzle, step, pair);
      double off = difference(out.all<float>(), want);
      std::printf("| %s | %u | %u | %u, %u | %.1e%s |\n", layout.name,
                  fields.leading, fields.stride, step, pair, off,
                  off < 1e-5 ? " right" : "");
    }
  }
}

void checkMma(const std::string &ptx) {
  Kernel kernel(ptx, "mmaTile");
  Words a = randomBits(16 * 16), b = randomBits(8 * 16);
  Buffer left(512), right(256), out(4 * 16 * 8);
  left.write(a.data(), 512), right.write(b.data(), 256);
  out.set(~0u);
  kernel({1, 32}, left.address(), right.address(), out.address());
  std::printf("\nmma m16n8k16: error %.1e\n",
              difference(out.all<float>(), times(a, b, 16, 1)));
}

void checkUnpack(const std::string &ptx) {
  Kernel kernel(ptx, "unpack4");
  constexpr unsigned words = 1 << 16;
  std::vector<uint32_t> codes(words);
  for (unsigned i = 0; i < words; ++i)
    codes[i] = i | ~i << 16;
  Buffer in(4 * words), out(16 * words);
  in.write(codes.data(), in.size());
  out.set(~0u);
  kernel({words / 256, 256}, in.address(), out.address());
  std::vector<uint16_t> got = out.all<uint16_t>();
  for (unsigned i = 0; i < words; ++i)
    for (unsigned k = 0; k < 8; ++k) {
      // A pair is 4 codes apart.
      unsigned code = codes[i] >> (k / 2 * 4 + k % 2 * 16) & 15;
      if (ofBfloat16(got[i * 8 + k]) != 128 + static_cast<float>(code))
        fail("unpack4: a wrong value");
    }
  std::puts("unpack4: all codes right");
}

} // namespace

void gpu::measureMatrices(const std::string &folder) {
  std::string ptx = folder + "/matrix.ptx";
  checkMma(ptx);
  checkUnpack(ptx);
  checkWgmma(ptx);
  auto processors = static_cast<unsigned>(property(Property::Multiprocessors));
  Buffer out(4 * 256 * processors);
  std::puts("\n| m64n256k16, two groups a multiprocessor, between waits | "
            "registers | TFLOP/s "
            "|\n|---|---|---|");
  for (uint32_t products : {4, 16}) {
    Kernel peak(ptx, "wgmmaPeak" + std::to_string(products));
    uint32_t rounds = 80000 / products;
    double time = seconds(
        5, [&] { peak({processors, 256, 65536}, out.address(), rounds); });
    double flops = 2.0 * 2 * 64 * 256 * 16 * products * rounds * processors;
    std::printf("| %u | %d | %.0f |\n", products, peak.registers(),
                flops / time * 1e-12);
  }
}
