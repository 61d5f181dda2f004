//===- Driver.h - what bench/gpu needs of the CUDA driver -------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The driver is opened when the program runs: building needs no CUDA. Whatever
// fails ends the program with a message.
#ifndef INGOT_BENCH_GPU_DRIVER_H
#define INGOT_BENCH_GPU_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gpu {

/// Prints a message to standard error and ends the program.
[[noreturn]] void fail(const std::string &message);

/// Opens the driver, makes the first device current and prints what it is.
void open();

/// The driver's number for what may be asked of the device.
enum class Property : int {
  ClockRate = 13,
  Multiprocessors = 16,
  MemoryClockRate = 36,
  CacheBytes = 38,
  SharedBytesPerBlock = 97
};
int property(Property);

/// Memory on the device, freed with the object.
class Buffer {
public:
  explicit Buffer(size_t bytes);
  ~Buffer();
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  uint64_t address() const { return at; }
  size_t size() const { return bytes; }
  /// Sets every 32-bit word.
  void set(uint32_t word);
  void write(const void *from, size_t count);
  void read(void *to, size_t count) const;
  template <typename T> std::vector<T> all() const {
    std::vector<T> values(bytes / sizeof(T));
    read(values.data(), bytes);
    return values;
  }

private:
  uint64_t at = 0;
  size_t bytes;
};

/// How many threads run a kernel, and how.
struct Shape {
  unsigned blocks, threads;
  unsigned sharedBytes = 0;
  unsigned cluster = 1;
  /// All blocks run at once, or the launch fails.
  bool cooperative = false;
  /// May start while the kernel before it runs, for which it waits by itself.
  bool early = false;
};

/// A kernel of a PTX file.
class Kernel {
public:
  Kernel(const std::string &ptx, const std::string &name);
  int registers() const;
  /// Clusters of this shape that run at once; 0 if it cannot be launched.
  int activeClusters(Shape) const;
  /// Starts it; arguments must have the types that the kernel declares.
  template <typename... T> void operator()(Shape shape, T... arguments) const {
    void *pointers[] = {&arguments..., nullptr};
    launch(shape, pointers);
  }

private:
  void launch(Shape, void **arguments) const;
  void prepare(Shape) const;
  void *function;
};

/// Waits until the device is idle.
void finish();

/// Copies within the device.
void copy(const Buffer &to, const Buffer &from);

/// The median of the seconds that `work` takes on the device. `before` is done
/// each time too, but not timed.
double seconds(
    int runs, const std::function<void()> &work,
    const std::function<void()> &before = [] {});

/// The same work put into a graph, seconds of a launch of it.
double secondsAsGraph(int runs, const std::function<void()> &work);

} // namespace gpu

#endif // INGOT_BENCH_GPU_DRIVER_H
