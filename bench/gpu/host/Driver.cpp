//===- Driver.cpp - the CUDA driver, opened at run time -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Driver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <utility>

namespace {

using Handle = void *;

/// The part of CUlaunchAttribute that is used here.
struct LaunchAttribute {
  int id;
  int padding = 0;
  union {
    char size[64];
    int on;
    unsigned dims[3];
  } value;
};
constexpr int cooperativeId = 2, clusterId = 4, earlyId = 6, attributeCount = 3;

struct LaunchConfig {
  unsigned grid[3], block[3], sharedBytes;
  Handle stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

constexpr int registersId = 4, dynamicSharedId = 8, anyClusterId = 14;
constexpr int errorLogId = 5, errorLogBytesId = 6;

#define DRIVER_FUNCTIONS(F)                                                    \
  F(cuInit, unsigned)                                                          \
  F(cuDriverGetVersion, int *)                                                 \
  F(cuDeviceGet, int *, int)                                                   \
  F(cuDeviceGetName, char *, int, int)                                         \
  F(cuDeviceGetAttribute, int *, int, int)                                     \
  F(cuDevicePrimaryCtxRetain, Handle *, int)                                   \
  F(cuCtxSetCurrent, Handle)                                                   \
  F(cuModuleLoadDataEx, Handle *, const void *, unsigned, int *, void **)      \
  F(cuModuleGetFunction, Handle *, Handle, const char *)                       \
  F(cuFuncSetAttribute, Handle, int, int)                                      \
  F(cuFuncGetAttribute, int *, int, Handle)                                    \
  F(cuOccupancyMaxActiveClusters, int *, Handle, const LaunchConfig *)         \
  F(cuMemAlloc_v2, uint64_t *, size_t)                                         \
  F(cuMemFree_v2, uint64_t)                                                    \
  F(cuMemcpyHtoD_v2, uint64_t, const void *, size_t)                           \
  F(cuMemcpyDtoH_v2, void *, uint64_t, size_t)                                 \
  F(cuMemcpyDtoDAsync_v2, uint64_t, uint64_t, size_t, Handle)                  \
  F(cuMemsetD32Async, uint64_t, unsigned, size_t, Handle)                      \
  F(cuLaunchKernelEx, const LaunchConfig *, Handle, void **, void **)          \
  F(cuStreamCreate, Handle *, unsigned)                                        \
  F(cuStreamSynchronize, Handle)                                               \
  F(cuStreamBeginCapture_v2, Handle, int)                                      \
  F(cuStreamEndCapture, Handle, Handle *)                                      \
  F(cuGraphInstantiateWithFlags, Handle *, Handle, unsigned long long)         \
  F(cuGraphLaunch, Handle, Handle)                                             \
  F(cuEventCreate, Handle *, unsigned)                                         \
  F(cuEventRecord, Handle, Handle)                                             \
  F(cuEventSynchronize, Handle)                                                \
  F(cuEventElapsedTime, float *, Handle, Handle)                               \
  F(cuGetErrorName, int, const char **)                                        \
  F(cuGetErrorString, int, const char **)

#define DECLARE(name, ...) int (*name)(__VA_ARGS__);
DRIVER_FUNCTIONS(DECLARE)
#undef DECLARE

Handle stream, start, stop;
int device;

void check(int status, const char *what) {
  if (status == 0)
    return;
  const char *name = nullptr, *text = nullptr;
  cuGetErrorName(status, &name);
  cuGetErrorString(status, &text);
  gpu::fail(std::string(what) + ": " + (name ? name : "?") + ", " +
            (text ? text : "?"));
}
#define CHECK(call) check(call, #call)

/// Work between two events, waited for.
double timed(const std::function<void()> &work) {
  CHECK(cuEventRecord(start, stream));
  work();
  CHECK(cuEventRecord(stop, stream));
  CHECK(cuEventSynchronize(stop));
  float milliseconds;
  CHECK(cuEventElapsedTime(&milliseconds, start, stop));
  return milliseconds * 1e-3;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

LaunchConfig configOf(gpu::Shape shape, LaunchAttribute *attributes) {
  LaunchConfig config = {{shape.blocks, 1, 1}, {shape.threads, 1, 1},
                         shape.sharedBytes,    stream,
                         attributes,           0};
  for (auto [wanted, id] :
       {std::pair(shape.cooperative, cooperativeId), {shape.early, earlyId}})
    if (wanted) {
      LaunchAttribute &attribute = attributes[config.attributeCount++];
      attribute.id = id;
      attribute.value.on = 1;
    }
  if (shape.cluster > 1) {
    LaunchAttribute &attribute = attributes[config.attributeCount++];
    attribute.id = clusterId;
    attribute.value.dims[0] = shape.cluster;
    attribute.value.dims[1] = attribute.value.dims[2] = 1;
  }
  return config;
}

} // namespace

void gpu::fail(const std::string &message) {
  std::fflush(stdout);
  std::fprintf(stderr, "gpu-bench: error: %s\n", message.c_str());
  std::exit(1);
}

void gpu::open() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library)
    fail("this machine has no CUDA driver (libcuda.so.1)");
#define FIND(name, ...)                                                        \
  name = reinterpret_cast<decltype(name)>(dlsym(library, #name));              \
  if (!name)                                                                   \
    fail("the CUDA driver has no " #name);
  DRIVER_FUNCTIONS(FIND)
#undef FIND
  CHECK(cuInit(0));
  CHECK(cuDeviceGet(&device, 0));
  Handle context;
  CHECK(cuDevicePrimaryCtxRetain(&context, device));
  CHECK(cuCtxSetCurrent(context));
  CHECK(cuStreamCreate(&stream, 0));
  CHECK(cuEventCreate(&start, 0));
  CHECK(cuEventCreate(&stop, 0));
  char name[256];
  int version;
  CHECK(cuDeviceGetName(name, sizeof name, device));
  CHECK(cuDriverGetVersion(&version));
  std::printf("%s, CUDA %d.%d, %d multiprocessors, %d MB of L2, %d KiB of "
              "shared memory a "
              "block, at most %d and %d MHz\n",
              name, version / 1000, version % 1000 / 10,
              property(Property::Multiprocessors),
              property(Property::CacheBytes) / 1000000,
              property(Property::SharedBytesPerBlock) / 1024,
              property(Property::ClockRate) / 1000,
              property(Property::MemoryClockRate) / 1000);
}

int gpu::property(Property property) {
  int value;
  CHECK(cuDeviceGetAttribute(&value, static_cast<int>(property), device));
  return value;
}

gpu::Buffer::Buffer(size_t bytes) : bytes(bytes) {
  CHECK(cuMemAlloc_v2(&at, bytes));
}

gpu::Buffer::~Buffer() { cuMemFree_v2(at); }

void gpu::Buffer::set(uint32_t word) {
  CHECK(cuMemsetD32Async(at, word, bytes / 4, stream));
}

void gpu::Buffer::write(const void *from, size_t count) {
  CHECK(cuMemcpyHtoD_v2(at, from, count));
}

void gpu::Buffer::read(void *to, size_t count) const {
  finish();
  CHECK(cuMemcpyDtoH_v2(to, at, count));
}

gpu::Kernel::Kernel(const std::string &ptx, const std::string &name) {
  std::ifstream file(ptx);
  if (!file)
    fail(ptx + ": no such file");
  std::stringstream text;
  text << file.rdbuf();
  std::vector<char> log(1 << 14);
  int options[] = {errorLogId, errorLogBytesId};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size())};
  Handle loaded;
  if (cuModuleLoadDataEx(&loaded, text.str().c_str(), 2, options, values) != 0)
    fail(ptx + ": " + log.data());
  check(cuModuleGetFunction(&function, loaded, name.c_str()), name.c_str());
}

int gpu::Kernel::registers() const {
  int count;
  CHECK(cuFuncGetAttribute(&count, registersId, function));
  return count;
}

void gpu::Kernel::prepare(Shape shape) const {
  CHECK(cuFuncSetAttribute(function, dynamicSharedId,
                           static_cast<int>(shape.sharedBytes)));
  if (shape.cluster > 8)
    CHECK(cuFuncSetAttribute(function, anyClusterId, 1));
}

int gpu::Kernel::activeClusters(Shape shape) const {
  prepare(shape);
  LaunchAttribute attributes[attributeCount];
  LaunchConfig config = configOf(shape, attributes);
  int count = 0;
  return cuOccupancyMaxActiveClusters(&count, function, &config) == 0 ? count
                                                                      : 0;
}

void gpu::Kernel::launch(Shape shape, void **arguments) const {
  prepare(shape);
  LaunchAttribute attributes[attributeCount];
  LaunchConfig config = configOf(shape, attributes);
  CHECK(cuLaunchKernelEx(&config, function, arguments, nullptr));
}

void gpu::finish() { CHECK(cuStreamSynchronize(stream)); }

void gpu::copy(const Buffer &to, const Buffer &from) {
  CHECK(
      cuMemcpyDtoDAsync_v2(to.address(), from.address(), from.size(), stream));
}

double gpu::seconds(int runs, const std::function<void()> &work,
                    const std::function<void()> &before) {
  std::vector<double> times;
  for (int run = 0; run < runs + 2; ++run) {
    before();
    double time = timed(work);
    if (run >= 2) // the first ones warm up
      times.push_back(time);
  }
  return median(times);
}

double gpu::secondsAsGraph(int runs, const std::function<void()> &work) {
  work(); // what is loaded lazily cannot be captured
  finish();
  Handle graph, ready;
  CHECK(cuStreamBeginCapture_v2(stream, 2));
  work();
  CHECK(cuStreamEndCapture(stream, &graph));
  CHECK(cuGraphInstantiateWithFlags(&ready, graph, 0));
  return seconds(runs, [&] { CHECK(cuGraphLaunch(ready, stream)); });
}
