//===- MachineCommand.cpp - ingot machine ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Commands.h"
#include "tools/ingot/Runtime.h"
#include "tools/ingot/Table.h"

#include "lib/Machine/Machine.h"

#include <memory>
#include <nlohmann/json.hpp>

using namespace ingot::cli;
using namespace ingot::machine;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {
struct Arguments {
  bool anew = false;
  std::string jsonFile;
};
} // namespace

static std::string levelName(size_t index) {
  return "L" + std::to_string(index + 1);
}

static std::string text(const Machine &machine, const fs::path &file) {
  Table table({"", ">one core", ">all cores", "of"});
  auto add = [&](const std::string &name, const Rate &rate, const char *unit,
                 const std::string &what) {
    if (rate.core > 0)
      table.add(
          {name, quantity(rate.core, unit), quantity(rate.all, unit), what});
  };
  add("arithmetic", machine.floats, "FLOP/s", "products of f32");
  add("", machine.bytes, "OP/s", "products of bytes");
  for (size_t i = 0; i < machine.caches.size(); ++i) {
    const CacheLevel &cache = machine.caches[i];
    std::string what = quantity(double(cache.bytes), "B");
    if (cache.cpus > 1)
      what += ", of " + std::to_string(cache.cpus) + " CPUs";
    add(levelName(i), machine.cacheReads[i], "B/s", what);
  }
  add("memory", machine.memoryReads, "B/s", "more than the caches hold");
  if (machine.clock > 0)
    table.add({"clock", quantity(machine.clock, "Hz"), "", ""});
  table.add({"barrier", "", seconds(machine.barrier), "all cores meet"});
  const Identity &identity = machine.identity;
  std::string name = identity.cpu.empty() ? "a CPU" : identity.cpu;
  return name + ", " + std::to_string(identity.cores) +
         (identity.cores == 1 ? " core" : " cores") + "\n" + table.str() +
         (wasDisturbed(machine) ? "  something else ran meanwhile: --measure "
                                  "measures again, on an idle machine\n"
                                : "") +
         (file.empty() ? "  not kept: no folder to write to\n"
                       : "  kept in " + file.string() + "\n");
}

static Json toJson(const Rate &rate) {
  return {{"core", rate.core}, {"all", rate.all}};
}

static Json json(const Machine &machine) {
  const Identity &identity = machine.identity;
  Json out = {{"cpu", identity.cpu},
              {"cpu_features", identity.features},
              {"cores", identity.cores},
              {"flops", toJson(machine.floats)},
              {"byte_operations", toJson(machine.bytes)},
              {"clock", machine.clock},
              {"barrier_seconds", machine.barrier},
              {"disturbed", wasDisturbed(machine)}};
  out["caches"] = Json::array();
  for (size_t i = 0; i < machine.caches.size(); ++i) {
    Json cache = {{"name", levelName(i)},
                  {"bytes", machine.caches[i].bytes},
                  {"cpus", machine.caches[i].cpus}};
    cache["reads"] = toJson(machine.cacheReads[i]);
    out["caches"].push_back(std::move(cache));
  }
  out["memory"] = {{"reads", toJson(machine.memoryReads)}};
  return out;
}

static void show(const Arguments &arguments) {
  ingot::rt::Result<Machine> machine = known(arguments.anew);
  if (!machine.ok())
    throw Error(machine.status().message());
  fs::path file = fileOf(machine->identity);
  // It may have been measured without being kept.
  if (!stored(machine->identity))
    file.clear();
  if (!arguments.jsonFile.empty())
    return writeFile(
        arguments.jsonFile,
        json(*machine).dump(1, ' ', false, Json::error_handler_t::replace) +
            "\n");
  std::fputs(text(*machine, file).c_str(), stdout);
}

void ingot::cli::addMachineCommand(CLI::App &program, int &) {
  CLI::App *command = program.add_subcommand(
      "machine", "Show what the cost model knows of this machine, measuring it "
                 "if that was not done yet.");
  auto arguments = std::make_shared<Arguments>();
  command->add_flag("--measure", arguments->anew,
                    "Measure it again, as on the first call");
  command
      ->add_option("--json", arguments->jsonFile,
                   "Write the parameters to this file instead")
      ->type_name("FILE");
  command->callback([arguments] { show(*arguments); });
}
