//===- Layers.cpp - a small model as one kernel ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Driver.h"
#include "Steps.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <thread>

using namespace gpu;

namespace {

/// What the name of a file says about its kernels (emit.py, kernels/layers.c).
struct Variant {
  unsigned width, rows, columns, slots, bits, warps, ahead, flight, naked, lazy,
      cores;

  explicit Variant(const std::string &file) {
    if (std::sscanf(file.c_str(),
                    "layers-w%u-r%u-c%u-s%u-b%u-p%u-a%u-f%u-n%u-l%u-t%u.ptx",
                    &width, &rows, &columns, &slots, &bits, &warps, &ahead,
                    &flight, &naked, &lazy, &cores) != 11)
      fail(file + ": not the name of a variant");
  }
  unsigned chunkBytes() const {
    unsigned values = rows * columns;
    return bits == 4 ? values / 2 + values / 16 : values * 2;
  }
  size_t productBytes() const {
    return size_t{chunkBytes()} * (width / rows) * (width / columns);
  }
  unsigned sharedBytes() const {
    return slots * (chunkBytes() + 16) + width * (cores ? 6 : 4) + 16 + 64 +
           warps * rows * 4;
  }
  bool isRight() const { return !naked && !lazy; }

  /// The value that the kernel makes up for a place in all matrices.
  double weight(uint32_t at) const {
    if (bits == 16)
      return ofBfloat16(weightBits(at));
    int code = static_cast<int>(hash(at / 8) >> at % 8 * 4 & 15);
    return (code - 8) *
           double(ofBfloat16((hash(~(at / 32)) & 0x807f) + (119 << 7)));
  }
};

/// A product of one matrix, in double.
std::vector<double> times(const Variant &variant, const std::vector<double> &x,
                          unsigned product) {
  auto width = static_cast<unsigned>(x.size());
  std::vector<double> y(width);
  unsigned team = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (unsigned worker = 0; worker < team; ++worker)
    threads.emplace_back([&, worker] {
      for (unsigned row = worker; row < width; row += team) {
        uint32_t at = (product * width + row) * width;
        for (unsigned column = 0; column < width; ++column)
          y[row] += variant.weight(at + column) * x[column];
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  return y;
}

/// The model in double.
std::vector<double> reference(const Variant &variant, std::vector<double> x,
                              const std::vector<float> &gamma,
                              unsigned layers) {
  size_t width = x.size();
  for (unsigned layer = 0; layer < layers; ++layer) {
    std::vector<double> y = times(variant, x, 2 * layer);
    double square = 0;
    for (double value : y)
      square += value * value;
    double scale = 1 / std::sqrt(square / static_cast<double>(width) + 1e-5);
    for (size_t i = 0; i < width; ++i)
      y[i] *= scale * gamma[layer * width + i];
    std::vector<double> more = times(variant, y, 2 * layer + 1);
    for (size_t i = 0; i < width; ++i)
      x[i] += more[i];
  }
  return x;
}

std::vector<float> randomValues(size_t count, float low, float high) {
  std::mt19937 numbers(std::random_device{}());
  std::uniform_real_distribution<float> spread(low, high);
  std::vector<float> values(count);
  for (float &value : values)
    value = spread(numbers);
  return values;
}

/// The kernels of a variant with weights and activations.
class Model {
public:
  Model(const std::string &folder, const std::string &file)
      : variant(file),
        layers(std::min<unsigned>(
            120,
            static_cast<unsigned>((size_t{1} << 30) / variant.productBytes()))),
        whole(folder + "/" + file, "layers"), step(folder + "/" + file, "step"),
        weights(2 * layers * variant.productBytes()), x(4 * variant.width),
        y(4 * variant.width), gammas(x.size() * layers), counter(4),
        cycles(24 * processors), input(randomValues(variant.width, -1, 1)),
        gamma(randomValues(gammas.size() / 4, 0.5, 1.5)) {
    Kernel pack(folder + "/" + file, "pack");
    pack({8 * processors, 1024}, weights.address(), uint32_t{2 * layers});
    gammas.write(gamma.data(), gammas.size());
  }

  void prepare() {
    x.write(input.data(), x.size());
    y.set(~0u);
    counter.set(0);
  }

  /// The first layers by the one kernel.
  void run(uint32_t count) const {
    Shape shape = {processors, threads(), variant.sharedBytes(), 1, true};
    whole(shape, weights.address(), x.address(), y.address(), gammas.address(),
          counter.address(), count, cycles.address());
  }

  /// The first layers by a kernel for each product.
  void runSteps(uint32_t count, bool early) const {
    Shape shape = {processors, threads(), variant.sharedBytes()};
    shape.early = early;
    for (uint32_t product = 0; product < 2 * count; ++product) {
      bool second = product % 2;
      uint64_t scale = second ? gammas.address() + product / 2 * x.size() : 0;
      step(shape, weights.address() + product * variant.productBytes(),
           (second ? y : x).address(), (second ? x : y).address(), scale,
           uint32_t{early});
    }
  }

  /// Compares a way to run the first layers with the reference, several times,
  /// and returns the error.
  double check(const std::vector<double> &want,
               const std::function<void()> &way) {
    double worst = 0;
    std::vector<float> first;
    for (int round = 0; round < 5; ++round) {
      prepare();
      way();
      std::vector<float> got = x.all<float>();
      worst = std::max(worst, difference(got, want));
      if (!(worst < 1e-4))
        fail("the result is wrong by " + std::to_string(worst));
      if (first.empty())
        first = got;
      else if (first != got)
        fail("results differ from run to run");
    }
    return worst;
  }

  unsigned threads() const { return (variant.warps + 1) * 32; }

  Variant variant;
  unsigned processors =
      static_cast<unsigned>(property(Property::Multiprocessors));
  unsigned layers;
  Kernel whole, step;
  Buffer weights, x, y, gammas, counter, cycles;
  std::vector<float> input, gamma;
};

/// A number of chunks, for people.
std::string limitOf(unsigned chunks) {
  return chunks == 99 ? "all" : std::to_string(chunks);
}

/// Microseconds of a layer, what starts and ends the work left out.
double perLayer(unsigned layers, const std::function<double(uint32_t)> &time) {
  unsigned few = layers / 4;
  return (time(layers) - time(few)) / (layers - few) * 1e6;
}

} // namespace

void gpu::measureLayers(const std::string &folder, const std::string &file) {
  Model model(folder, file);
  const Variant &variant = model.variant;
  constexpr uint32_t checked = 8;
  char error[32] = "";
  if (variant.isRight()) {
    std::vector<double> want =
        reference(variant, {model.input.begin(), model.input.end()},
                  model.gamma, checked);
    double off = model.check(want, [&] { model.run(checked); });
    off = std::max(off,
                   model.check(want, [&] { model.runSteps(checked, false); }));
    off = std::max(off,
                   model.check(want, [&] { model.runSteps(checked, true); }));
    std::snprintf(error, sizeof error, "%.1e", off);
  }
  double time = perLayer(model.layers, [&](uint32_t count) {
    return seconds(11, [&] { model.run(count); }, [&] { model.prepare(); });
  });
  Kernel readAll(folder + "/memory.ptx", "readAll");
  size_t bytes = model.weights.size();
  Buffer total(4);
  double reads = perLayer(model.layers, [&](uint32_t count) {
    return seconds(11, [&] {
      readAll({2 * model.processors, 1024}, model.weights.address(),
              uint64_t{bytes / model.layers * count / 16}, total.address());
    });
  });
  char steps[64] = " | ";
  if (variant.isRight() && variant.ahead == 99) {
    double times[2];
    for (bool early : {false, true})
      times[early] = perLayer(model.layers, [&](uint32_t count) {
        return secondsAsGraph(11, [&] { model.runSteps(count, early); });
      });
    std::snprintf(steps, sizeof steps, "%.2f | %.2f", times[0], times[1]);
  }
  // What blocks did in a launch of the whole model, microseconds a product.
  model.prepare();
  double whole =
      seconds(1, [&] { model.run(model.layers); }, [&] { model.prepare(); });
  std::vector<uint64_t> cycles = model.cycles.all<uint64_t>();
  std::vector<double> spent[3];
  double all = 0;
  for (size_t i = 0; i < cycles.size(); ++i) {
    spent[i % 3].push_back(static_cast<double>(cycles[i]));
    all += static_cast<double>(cycles[i]) / model.processors;
  }
  double unit = whole / all * 1e6 / (2 * model.layers);
  for (std::vector<double> &phase : spent)
    std::sort(phase.begin(), phase.end());
  std::printf(
      "| %u | %u | %u | %u x %u | %u x %.0f KiB | %s | %s | %s | %s | %d | "
      "%s | %s | %.2f | "
      "%.0f | %.0f %% | %.2f | %.2f | %.2f to %.2f |\n",
      variant.bits, variant.width, variant.warps, variant.rows, variant.columns,
      variant.slots, variant.chunkBytes() / 1024.0,
      limitOf(variant.ahead).c_str(), limitOf(variant.flight).c_str(),
      variant.naked ? "no" : "yes",
      variant.lazy    ? "nobody"
      : variant.cores ? "tensor cores"
                      : "others",
      model.whole.registers(), error, steps, time,
      static_cast<double>(bytes) / model.layers / time * 1e-3,
      100 * reads / time, spent[0][spent[0].size() / 2] * unit,
      spent[1][spent[1].size() / 2] * unit, spent[2].front() * unit,
      spent[2].back() * unit);
}
