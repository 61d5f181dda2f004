//===- Compiler.cpp - the compiler library, opened when it is needed ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Compiler.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <sys/stat.h>

using namespace ingot::cli;

static constexpr const char *libraryName = "libIngotCompiler.so";

Compiler::Compiler() {
  std::error_code failed;
  std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", failed);
  std::filesystem::path beside =
      program.parent_path().parent_path() / "lib" / libraryName;
  void *handle = nullptr;
  if (!failed && std::filesystem::exists(beside, failed))
    handle = dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
  else
    handle = dlopen(libraryName, RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    throw Error(std::string("the compiler library cannot be opened: ") +
                dlerror());
  entry = reinterpret_cast<decltype(entry)>(
      dlsym(handle, "ingot_compiler_compile"));
  if (!entry)
    throw Error(std::string(libraryName) +
                " is of another version: it lacks ingot_compiler_compile");
  Dl_info info{};
  struct stat file{};
  if (dladdr(reinterpret_cast<void *>(entry), &info) && info.dli_fname &&
      stat(info.dli_fname, &file) == 0)
    id = std::to_string(file.st_size) + "." +
         std::to_string(file.st_mtim.tv_sec) + "." +
         std::to_string(file.st_mtim.tv_nsec);
}

const Compiler &Compiler::get() {
  static const Compiler compiler;
  return compiler;
}

void Compiler::compile(const std::string &onnxPath, const std::string &outPath,
                       const CompileOptions &options,
                       Progress *progress) const {
  IngotCompileOptions given{};
  given.struct_size = sizeof(given);
  given.target_cpu = options.target.c_str();
  given.verify_each = options.verifyEach;
  given.erase_dims = options.eraseDims;
  given.timing = options.timing;
  given.dump_dir = options.dumpDir.empty() ? nullptr : options.dumpDir.c_str();
  given.generate = options.generate;
  given.kv_type = options.kvType.empty() ? nullptr : options.kvType.c_str();
  auto pointers = [](const std::vector<std::string> &texts) {
    std::vector<const char *> result;
    result.reserve(texts.size());
    for (const std::string &text : texts)
      result.push_back(text.c_str());
    return result;
  };
  std::vector<const char *> settings = pointers(options.settings),
                            dims = pointers(options.dims),
                            tiles = pointers(options.tiles);
  given.settings = settings.data();
  given.setting_count = static_cast<int>(settings.size());
  given.dims = dims.data();
  given.dim_count = static_cast<int>(dims.size());
  given.tiles = tiles.data();
  given.tile_count = static_cast<int>(tiles.size());
  given.tune_seconds = options.tuneSeconds;
  given.tune_from =
      options.tuneFrom.empty() ? nullptr : options.tuneFrom.c_str();
  given.activation_bits = options.activationBits;
  given.prove = options.prove;
  given.stages_from =
      options.stagesFrom.empty() ? nullptr : options.stagesFrom.c_str();
  if (progress) {
    given.user = progress;
    given.progress = [](void *user, const char *phase, double fraction) {
      static_cast<Progress *>(user)->update(phase, fraction);
    };
  }
  char *message = nullptr;
  if (entry(onnxPath.c_str(), outPath.c_str(), &given, &message) == 0)
    return;
  std::string text = message ? message : "the compiler gave no reason";
  std::free(message);
  while (text.ends_with('\n'))
    text.pop_back();
  throw CompileError(text);
}
