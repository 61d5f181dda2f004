//===- MachineFile.cpp - a machine's parameters in the user's cache -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Lines of a name and its values, a checksum of them at the end. Numbers are
// written so that the same ones are read back.
#include "lib/Machine/CacheFolder.h"
#include "lib/Machine/Machine.h"

#include "runtime/core/Format.h"
#include "runtime/core/NewFile.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

using namespace ingot::machine;
namespace rt = ingot::rt;
namespace fs = std::filesystem;

/// A change of what is measured, or how, is a change of this line.
static constexpr std::string_view heading = "ingot-machine 1";
/// More caches than any machine has.
constexpr size_t mostCaches = 8;

static std::string checksumOf(std::string_view text) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(rt::checksum(
                    {reinterpret_cast<const unsigned char *>(text.data()),
                     text.size()})));
  return digits;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static std::string number(double value) {
  char text[32];
  auto [end, failed] = std::to_chars(std::begin(text), std::end(text), value);
  return {text, end};
}

std::string ingot::machine::toText(const Machine &machine) {
  std::string text;
  auto line = [&](std::string_view name, const auto &...values) {
    text += name;
    ((text += " ", text += values), ...);
    text += "\n";
  };
  auto rate = [&](std::string_view name, const Rate &value) {
    line(name, number(value.core), number(value.all));
  };
  line(heading);
  line("cpu", machine.identity.cpu);
  line("features", machine.identity.features);
  line("cores", std::to_string(machine.identity.cores));
  for (size_t i = 0; i < machine.caches.size(); ++i)
    line("cache", std::to_string(machine.caches[i].bytes),
         std::to_string(machine.caches[i].cpus),
         number(machine.cacheReads[i].core), number(machine.cacheReads[i].all));
  rate("memory", machine.memoryReads);
  rate("floats", machine.floats);
  rate("bytes", machine.bytes);
  line("clock", number(machine.clock));
  line("barrier", number(machine.barrier));
  line("end", checksumOf(text));
  return text;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// Takes lines apart; whatever is not as expected makes it fail for good.
class LineReader {
public:
  explicit LineReader(std::string_view text) : rest(text) {}

  /// The values of the next line if it has that name, else nothing.
  bool take(std::string_view name) {
    if (failed || !rest.starts_with(name))
      return false;
    std::string_view after = rest.substr(name.size());
    if (!after.starts_with(' ') && !after.starts_with('\n'))
      return false;
    size_t end = after.find('\n');
    if (end == std::string_view::npos)
      return false;
    values = after.substr(0, end);
    if (!values.empty())
      values.remove_prefix(1);
    rest = after.substr(end + 1);
    return true;
  }
  void expect(std::string_view name) { failed |= !take(name); }

  std::string text() { return std::string(values); }

  template <typename T> T next() {
    T value{};
    auto [end, error] =
        std::from_chars(values.data(), values.data() + values.size(), value);
    if (error != std::errc() ||
        (end != values.data() + values.size() && *end != ' ')) {
      failed = true;
      return {};
    }
    values.remove_prefix(size_t(end - values.data()));
    if (!values.empty())
      values.remove_prefix(1);
    return value;
  }
  /// Rates are numbers, and not below zero.
  double rate() {
    double value = next<double>();
    failed |= !std::isfinite(value) || value < 0;
    return value;
  }

  bool isWhole() const { return !failed && rest.empty(); }

private:
  std::string_view rest, values;
  bool failed = false;
};
} // namespace

std::optional<Machine> ingot::machine::fromText(std::string_view text) {
  size_t end = text.rfind("end ");
  if (end == std::string_view::npos ||
      text.substr(end) != "end " + checksumOf(text.substr(0, end)) + "\n")
    return std::nullopt;
  LineReader lines(text.substr(0, end));
  Machine machine;
  auto rate = [&](std::string_view name) {
    lines.expect(name);
    double core = lines.rate();
    return Rate{core, lines.rate()};
  };
  lines.expect(heading);
  lines.expect("cpu");
  machine.identity.cpu = lines.text();
  lines.expect("features");
  machine.identity.features = lines.text();
  lines.expect("cores");
  machine.identity.cores = lines.next<int>();
  while (machine.caches.size() < mostCaches && lines.take("cache")) {
    uint64_t bytes = lines.next<uint64_t>();
    machine.caches.push_back({bytes, lines.next<int>()});
    double core = lines.rate();
    machine.cacheReads.push_back({core, lines.rate()});
  }
  machine.memoryReads = rate("memory");
  machine.floats = rate("floats");
  machine.bytes = rate("bytes");
  lines.expect("clock");
  machine.clock = lines.rate();
  lines.expect("barrier");
  machine.barrier = lines.rate();
  if (!lines.isWhole() || machine.identity.cores < 1)
    return std::nullopt;
  return machine;
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

/// The folder in the user's cache.
static constexpr std::string_view folderName = "machines";

static std::string nameOf(const Identity &identity) {
  return checksumOf(rt::concat(identity.cpu, "\n", identity.features, "\n",
                               identity.cores)) +
         ".txt";
}

fs::path ingot::machine::fileOf(const Identity &identity) {
  fs::path folder = cacheFolder(folderName);
  return folder.empty() ? fs::path() : folder / nameOf(identity);
}

std::optional<Machine> ingot::machine::stored(const Identity &identity) {
  fs::path path = fileOf(identity);
  std::error_code failed;
  // A few lines; what is larger was written by somebody else.
  if (path.empty() || !fs::is_regular_file(path, failed) ||
      fs::file_size(path, failed) > (1 << 16))
    return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  std::optional<Machine> machine = fromText(text.str());
  if (machine && machine->identity != identity)
    machine.reset();
  return machine;
}

/// Without a folder, or without room in it, it is measured again next time.
static void store(const Machine &machine) {
  fs::path folder = writableCacheFolder(folderName);
  if (folder.empty())
    return;
  std::string text = toText(machine);
  rt::NewFile file((folder / nameOf(machine.identity)).string());
  if (file.open(rt::NewFile::Access::Shared).ok() &&
      file.write(text.data(), text.size()).ok())
    (void)file.finish().ok();
}

rt::Result<Machine> ingot::machine::known(bool anew,
                                          rt::Result<Machine> (*measurer)()) {
  if (!anew)
    if (std::optional<Machine> machine = stored(Identity::here()))
      return *machine;
  rt::Result<Machine> machine = measurer();
  if (machine.ok())
    store(*machine);
  return machine;
}
