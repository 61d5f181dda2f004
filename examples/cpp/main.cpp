//===- main.cpp - serve a model from several threads ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Serves a model from several threads with one session, each thread with a
// batch size of its own: serve MODEL.ingot [THREADS]. Inputs are zeros.
#include <ingot.hpp>

#include <cstdio>
#include <cstdlib>
#include <thread>

/// Runs the model once with every symbolic dim `size`; returns the result's
/// time in milliseconds.
static double serve(const ingot::Model &model, ingot::Session &session,
                    int64_t size) {
  std::vector<std::vector<char>> memory;
  std::vector<ingot::Tensor> inputs;
  for (const ingot::TensorInfo &info : model.inputs()) {
    std::vector<int64_t> dims = info.dims;
    size_t bytes = ingot_dtype_bytes(info.dtype);
    for (int64_t &dim : dims)
      bytes *= dim = dim < 0 ? size : dim;
    memory.emplace_back(bytes);
    inputs.emplace_back(info.name, info.dtype, dims, memory.back().data(),
                        bytes);
  }
  return session.run(inputs).stats().milliseconds;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s MODEL.ingot [THREADS]\n", argv[0]);
    return 2;
  }
  try {
    ingot::Model model = ingot::Model::load(argv[1]);
    ingot::Session session(model);
    size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
    std::vector<double> times(count);
    std::vector<std::string> errors(count);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i)
      threads.emplace_back([&, i] {
        try {
          for (int run = 0; run < 10; ++run)
            times[i] += serve(model, session, static_cast<int64_t>(i + 1)) / 10;
        } catch (const ingot::Error &error) {
          errors[i] = error.what();
        }
      });
    for (std::thread &thread : threads)
      thread.join();
    for (size_t i = 0; i < count; ++i) {
      if (!errors[i].empty())
        throw std::runtime_error(errors[i]);
      std::printf("thread %zu, size %zu: %.3f ms a run\n", i, i + 1, times[i]);
    }
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
