//===- ModelFile.cpp - a model argument: an artifact, or ONNX through the cache
//===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/ModelFile.h"

#include "tools/ingot/Runtime.h"
#include "tools/ingot/io/Onnx.h"

#include "lib/Machine/CacheFolder.h"
#include "lib/Machine/Machine.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace ingot::cli;
namespace fs = std::filesystem;

namespace {

/// The bytes of a file, mapped: models can be large.
class MappedFile {
public:
  explicit MappedFile(const std::string &path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      throw Error(path + ": " + std::strerror(errno));
    struct stat info{};
    bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (regular && info.st_size > 0) {
      length = size_t(info.st_size);
      data = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    close(fd);
    if (!regular || data == MAP_FAILED)
      throw Error(path + ": not a readable regular file");
  }
  ~MappedFile() {
    if (data)
      munmap(data, length);
  }
  MappedFile(const MappedFile &) = delete;
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte *>(data), length};
  }

private:
  void *data = nullptr;
  size_t length = 0;
};

class Hasher {
public:
  Hasher() : state(XXH3_createState()) { XXH3_128bits_reset(state); }
  ~Hasher() { XXH3_freeState(state); }
  Hasher(const Hasher &) = delete;

  /// Lengths are hashed too, so that parts cannot run into each other.
  void add(std::span<const std::byte> bytes) {
    uint64_t length = bytes.size();
    XXH3_128bits_update(state, &length, sizeof length);
    if (length)
      XXH3_128bits_update(state, bytes.data(), length);
  }
  void add(std::string_view text) {
    add(std::as_bytes(std::span(text.data(), text.size())));
  }
  std::string digest() const {
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx",
                  (unsigned long long)hash.high64,
                  (unsigned long long)hash.low64);
    return text;
  }

private:
  XXH3_state_t *state;
};

} // namespace

/// What "native" depends on: the CPU's own description.
static std::string cpuIdentity() {
  std::ifstream info("/proc/cpuinfo");
  std::string line, text;
  while (std::getline(info, line) && !line.empty())
    for (const char *key : {"vendor_id", "cpu family", "model", "flags"})
      if (line.starts_with(key))
        text += line + "\n";
  return text;
}

/// What it depends on besides: the machine as it was measured, if it was.
static std::string machineText() {
  namespace machine = ingot::machine;
  std::optional<machine::Machine> kept =
      machine::stored(machine::Identity::here());
  return kept ? machine::toText(*kept) : "";
}

std::string ingot::cli::cacheKey(const std::string &path,
                                 const CompileOptions &options,
                                 const std::string &compilerIdentity) {
  Hasher hasher;
  hasher.add(ingot_version());
  hasher.add(compilerIdentity);
  hasher.add(options.target);
  hasher.add(options.target == "native" ? cpuIdentity() : "");
  hasher.add(options.target == "native" ? machineText() : "");
  hasher.add(options.eraseDims ? "erase-dims" : "");
  hasher.add(options.generate ? "generate " + options.kvType : "");
  for (const std::string &setting : options.settings)
    hasher.add("set " + setting);
  for (const std::string &dim : options.dims)
    hasher.add("dim " + dim);
  // The file's own name is part of the artifact.
  hasher.add(fs::path(path).filename().string());
  MappedFile model(path);
  hasher.add(model.bytes());
  ModelScan scan = scanModel(model.bytes(), path);
  for (const std::string &name : scan.externalFiles) {
    hasher.add(name);
    fs::path file = fs::path(path).parent_path() / name;
    std::error_code failed;
    // The compiler refuses what lies elsewhere or is missing.
    if (fs::is_regular_file(file, failed))
      hasher.add(MappedFile(file.string()).bytes());
  }
  return hasher.digest();
}

static bool isArtifact(const std::string &path) {
  if (fs::path(path).extension() == ".ingot")
    return true;
  std::ifstream file(path, std::ios::binary);
  char magic[8] = {};
  file.read(magic, sizeof magic);
  return std::memcmp(magic, "INGOTART", sizeof magic) == 0;
}

/// Whether a cache entry can be relied on.
static bool isWhole(const fs::path &entry) {
  try {
    Model::load(entry.string());
    return true;
  } catch (const RuntimeError &) {
    return false;
  }
}

/// Removes the entries that were not used for the longest time, until the
/// others and `kept` fit into the cache's limit.
static void prune(const fs::path &folder, const fs::path &kept) {
  constexpr uintmax_t limit = uintmax_t(8) << 30;
  struct Entry {
    fs::file_time_type used;
    uintmax_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  uintmax_t total = 0;
  std::error_code failed;
  for (const fs::directory_entry &file :
       fs::directory_iterator(folder, failed)) {
    Entry entry{file.last_write_time(failed), file.file_size(failed),
                file.path()};
    if (failed || entry.bytes == uintmax_t(-1))
      continue;
    total += entry.bytes;
    if (entry.path != kept)
      entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.used < b.used; });
  for (const Entry &entry : entries) {
    if (total <= limit)
      return;
    total -= entry.bytes;
    // A process that has it mapped keeps it.
    fs::remove(entry.path, failed);
  }
}

static double compileTo(const std::string &model, const std::string &out,
                        const CompileOptions &options) {
  Progress progress("compiling " + fs::path(model).filename().string());
  Compiler::get().compile(model, out, options, &progress);
  return progress.seconds();
}

ModelFile ModelFile::open(const std::string &path,
                          const CompileOptions &options) {
  std::error_code failed;
  if (!fs::exists(path, failed))
    throw Error(path + ": no such file");
  if (fs::is_directory(path, failed))
    throw Error(path + ": a folder, not a model file");
  if (isArtifact(path))
    return ModelFile(path, false, -1);

  fs::path folder = ingot::machine::writableCacheFolder();
  if (folder.empty()) {
    std::string name = (fs::temp_directory_path() / "ingot-XXXXXX").string();
    int fd = mkstemp(name.data());
    if (fd < 0)
      throw Error(name + ": " + std::strerror(errno));
    close(fd);
    ModelFile file(name, true, 0);
    file.seconds = compileTo(path, name, options);
    return file;
  }
  std::string key = cacheKey(path, options, Compiler::get().identity());
  fs::path entry = folder / (key + ".ingot");
  if (fs::exists(entry, failed) && isWhole(entry)) {
    fs::last_write_time(entry, fs::file_time_type::clock::now(), failed);
    ModelFile file(entry.string(), false, -1);
    file.checked = true;
    return file;
  }
  // The compiler writes beside the entry and renames, so that two processes
  // that compile the same model do not disturb each other.
  double seconds = compileTo(path, entry.string(), options);
  prune(folder, entry);
  return ModelFile(entry.string(), false, seconds);
}

ModelFile::ModelFile(ModelFile &&other) noexcept
    : artifact(std::move(other.artifact)), temporary(other.temporary),
      seconds(other.seconds), checked(other.checked) {
  other.temporary = false;
}

ModelFile::~ModelFile() {
  if (temporary)
    unlink(artifact.c_str());
}
