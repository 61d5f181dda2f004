//===- Compile.cpp - compiling through the compiler library ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/c/Handles.h"

#include "ingot-c/Compiler.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <unistd.h>

using namespace ingot::rt;
namespace fs = std::filesystem;

using CompileFn = decltype(&ingot_compiler_compile);

static constexpr const char *libraryName = "libIngotCompiler.so";

/// The folder of the file that this code is in: libingot.so, or a program that
/// it is linked into.
static fs::path ownFolder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(&ingot_model_compile), &info) ||
      !info.dli_fname)
    return {};
  std::error_code error;
  fs::path path = fs::canonical(info.dli_fname, error);
  return error ? fs::path() : path.parent_path();
}

/// Opens the compiler library. It is never closed: LLVM does not like it, and
/// the next compilation is quicker.
static Result<CompileFn> openCompiler(const char *path) {
  std::vector<std::string> candidates;
  if (path) {
    candidates.push_back(path);
  } else {
    if (fs::path folder = ownFolder(); !folder.empty()) {
      candidates.push_back(folder / libraryName);
      candidates.push_back(folder.parent_path() / "lib" / libraryName);
    }
    candidates.push_back(libraryName);
  }
  std::string reasons;
  for (const std::string &candidate : candidates) {
    // What is not there needs no line of its own in the message.
    std::error_code error;
    if (candidate.find('/') != std::string::npos &&
        !fs::exists(candidate, error) && !path)
      continue;
    void *library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "ingot_compiler_compile") : nullptr;
    if (symbol)
      return reinterpret_cast<CompileFn>(symbol);
    const char *reason = dlerror();
    reasons += concat("; ", reason ? reason : "unknown error");
  }
  return failure(Code::CompilerUnavailable,
                 "the compiler library cannot be opened", reasons);
}

namespace {
/// A folder of our own for an artifact that nobody keeps.
class TemporaryFolder {
public:
  TemporaryFolder() = default;
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }

  Status create() {
    std::error_code error;
    fs::path parent = fs::temp_directory_path(error);
    std::string name = (parent / "ingot-XXXXXX").string();
    if (error || !mkdtemp(name.data()))
      return failure(Code::IoError,
                     "cannot make a temporary folder: ", systemError());
    path = name;
    return {};
  }

  fs::path path;
};
} // namespace

static Status compile(const char *onnxPath,
                      const ingot_compile_options &options,
                      const std::string &artifactPath) {
  Result<CompileFn> function = openCompiler(options.compiler_path);
  if (!function.ok())
    return function.status();
  IngotCompileOptions wanted = {};
  wanted.struct_size = sizeof(wanted);
  wanted.target_cpu = options.target_cpu;
  // The compiler has one pointer for all that it calls.
  auto *host = const_cast<ingot_compile_options *>(&options);
  wanted.user = host;
  if (options.progress)
    wanted.progress = [](void *user, const char *phase, double fraction) {
      auto *given = static_cast<ingot_compile_options *>(user);
      given->progress(given->user, phase, fraction);
    };
  if (options.cancel)
    wanted.cancelled = [](void *user) {
      auto *given = static_cast<ingot_compile_options *>(user);
      return int(given->cancel->token.isRequested());
    };
  wanted.tune_seconds = options.tune_seconds;
  wanted.tune_from = options.tune_from;
  wanted.generate = options.generate;
  wanted.kv_type = options.kv_type;
  wanted.activation_bits = options.activation_bits;
  wanted.settings = options.settings;
  wanted.setting_count = static_cast<int>(options.setting_count);
  wanted.dims = options.dims;
  wanted.dim_count = static_cast<int>(options.dim_count);
  char *message = nullptr;
  int result = (*function)(onnxPath, artifactPath.c_str(), &wanted, &message);
  std::unique_ptr<char, decltype(&std::free)> owner(message, &std::free);
  if (result == 0)
    return {};
  if (options.cancel && options.cancel->token.isRequested())
    return failure(Code::Cancelled, message ? message : "cancelled");
  return failure(Code::CompileFailed, message ? message : "unknown reason");
}

ingot_status ingot_model_compile(const char *onnx_path,
                                 const ingot_compile_options *given,
                                 ingot_model **model) {
  return guarded([&]() -> Status {
    if (Status status = require(model, "model"); !status.ok())
      return status;
    *model = nullptr;
    if (Status status = require(onnx_path, "onnx_path"); !status.ok())
      return status;
    ingot_compile_options options = INGOT_COMPILE_OPTIONS_INIT;
    if (Status status = readOptions(given, options); !status.ok())
      return status;

    // Compiling in memory is compiling to a file that is unlinked once mapped:
    // one path, and the weights stay pages of a file.
    TemporaryFolder folder;
    std::string path;
    if (options.artifact_path) {
      path = options.artifact_path;
    } else {
      if (Status status = folder.create(); !status.ok())
        return status;
      path = folder.path / "model.ingot";
    }
    if (Status status = compile(onnx_path, options, path); !status.ok())
      return status;
    // Written a moment ago by ourselves: no need to read all of it again.
    ingot_load_options load = INGOT_LOAD_OPTIONS_INIT;
    load.skip_weights_checksum = 1;
    ingot_status loaded = ingot_model_load(path.c_str(), &load, model);
    if (loaded == INGOT_OK)
      return {};
    return Status(static_cast<Code>(loaded), ingot_last_error());
  });
}
