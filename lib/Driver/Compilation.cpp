//===- Compilation.cpp - one model on its way to an artifact --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/Compilation.h"

#include "ingot/Conversion/IngotToLinalg.h"
#include "ingot/Import/Onnx/Import.h"
#include "ingot/Interfaces/TileHintInterface.h"
#include "ingot/Pipelines/CpuPipelines.h"
#include "ingot/Pipelines/Registration.h"
#include "ingot/Target/ArtifactWriter.h"
#include "ingot/Target/ObjectCode.h"
#include "ingot/Transforms/Decoder.h"
#include "ingot/Transforms/Recognition.h"
#include "lib/Driver/MachineTiles.h"
#include "lib/Driver/ManifestBuilder.h"
#include "lib/Driver/PassProgress.h"
#include "lib/Driver/Weights.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <thread>

using namespace mlir;

namespace ingot {

namespace {

/// The model's names in a location, outermost first.
void collectNames(Location loc, SmallVectorImpl<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    names.push_back(name.getName());
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectNames(call.getCallee(), names);
  }
}

/// One line for a diagnostic: its message and the node that it is about.
std::string lineOf(Diagnostic &diagnostic) {
  std::string line = diagnostic.str();
  SmallVector<StringRef> names;
  collectNames(diagnostic.getLocation(), names);
  if (!names.empty() && line.find(names.front().str()) == std::string::npos)
    line += (" (node '" + names.front() + "')").str();
  for (char &c : line)
    if (c == '\n')
      c = ' ';
  return line;
}

} // namespace

Compilation::Compilation(const IngotCompileOptions &options,
                         std::string onnxPath, std::string outPath)
    : options(options), onnxPath(std::move(onnxPath)),
      outPath(std::move(outPath)) {
  DialectRegistry registry;
  registerDialects(registry);
  context = std::make_unique<MLIRContext>(registry);
  context->loadAllAvailableDialects();
}

Compilation::~Compilation() = default;

void Compilation::addError(std::string line) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!llvm::is_contained(errors, line))
    errors.push_back(std::move(line));
}

std::string Compilation::errorText() const { return llvm::join(errors, "\n"); }

void Compilation::report(StringRef phase, double fraction) {
  currentPhase = phase.str();
  currentFraction = fraction;
  if (options.progress)
    options.progress(options.user, phase.str().c_str(), fraction);
}

bool Compilation::run() {
  ScopedDiagnosticHandler handler(
      context.get(), [&](Diagnostic &diagnostic) -> LogicalResult {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
          addError(lineOf(diagnostic));
        if (diagnostic.getSeverity() == DiagnosticSeverity::Remark) {
          std::lock_guard<std::mutex> lock(mutex);
          proofs.push_back(diagnostic.str());
        }
        return success();
      });
  std::string error;
  std::optional<TargetInfo> found =
      lookupTarget(options.target_cpu ? options.target_cpu : "native", error);
  if (!found) {
    addError(error);
    return false;
  }
  target = *found;
  constexpr int activationBits[] = {0, 8, 16, 24, 32};
  if (!llvm::is_contained(activationBits, options.activation_bits)) {
    addError("activations have codes of 8, 16 or 24 bits or are floats of 32, "
             "not of " +
             std::to_string(options.activation_bits) + " bits");
    return false;
  }
  bool isNative =
      !options.target_cpu || StringRef(options.target_cpu) == "native";
  tiles.machine = tileMachineFor(isNative, knowsMachine);
  for (int i = 0; i < options.tile_count; ++i)
    tiles.given.emplace_back(options.tiles[i]);
  LogicalResult result = success();
  if (failed(checkTuning()) || failed(takeTiles()) || failed(importModel()) ||
      failed(toStructuredOps()) || failed(compileImages()) ||
      failed(writeArtifact()))
    result = failure();
  llvm::sort(proofs);
  for (const std::string &line : proofs)
    llvm::errs() << "proved: " << line << "\n";
  if (failed(result) && errors.empty())
    addError("compiling '" + onnxPath + "' failed without a reason given");
  return succeeded(result);
}

LogicalResult Compilation::importModel() {
  report("import", 0.0);
  OnnxImportOptions importOptions;
  importOptions.eraseDims = options.erase_dims;
  for (int i = 0; i < options.setting_count; ++i)
    importOptions.settings.push_back(options.settings[i]);
  for (int i = 0; i < options.dim_count; ++i)
    importOptions.dims.push_back(options.dims[i]);
  std::vector<ImportError> importErrors;
  module = importOnnxFile(onnxPath, context.get(), importOptions, importErrors);
  for (const ImportError &importError : importErrors)
    addError(importError.str());
  if (!module)
    return failure();
  dump(*module, "0-imported");
  return success();
}

LogicalResult Compilation::toStructuredOps() {
  report("recognise", 0.05);
  auto recognise = [&](OpPassManager &passes) {
    if (options.generate)
      buildDecoderPipeline(passes, options.kv_type ? options.kv_type : "");
    else
      buildRecognitionPipeline(passes);
  };
  if (failed(runPasses(*module, "1-recognised", recognise, 0.1)))
    return failure();
  describeOps(*module, manifest);
  describeState(*module, manifest);
  report("lower", 0.1);
  auto structured = [&](OpPassManager &passes) {
    buildStructuredPipeline(passes, target, options.activation_bits);
  };
  if (failed(runPasses(*module, "2-structured", structured, 0.17)) ||
      failed(describeSignature(*module, manifest)) ||
      failed(runPasses(*module, "3-weights", buildWeightsPipeline, 0.2)))
    return failure();
  describeWeights(*module, manifest);
  if (auto nested = module->lookupSymbol<ModuleOp>("weight_functions")) {
    nested->remove();
    weightFunctions = nested;
  }
  weights = WeightTable(*module, weightFunctions.get());
  return success();
}

LogicalResult Compilation::compileImages() {
  if (options.tune_seconds > 0)
    untiled = module->clone();
  report("generate code", 0.2);
  // Weight functions run now, on this machine.
  TargetInfo here = target;
  if (std::string error; weightFunctions && !runsHere(target)) {
    std::optional<TargetInfo> native = lookupTarget("native", error);
    if (!native) {
      addError("weights cannot be prepared: " + error);
      return failure();
    }
    here = *native;
  }
  // Both modules at once; the smaller one is done long before the other.
  FailureOr<Image> weightsResult = Image();
  std::thread other;
  if (weightFunctions)
    other = std::thread(
        [&] { weightsResult = compileModule(*weightFunctions, here); });
  FailureOr<Image> result = compileModule(*module, target);
  if (other.joinable())
    other.join();
  if (failed(result) || failed(weightsResult))
    return failure();
  image = std::move(*result);
  weightImage = std::move(*weightsResult);
  return success();
}

FailureOr<Compilation::Image>
Compilation::compileModule(ModuleOp op, const TargetInfo &target) {
  std::string prefix = op == *module ? "" : "weights-";
  if (failed(runPasses(
          op, prefix + "4-stages",
          [&](OpPassManager &passes) { buildStagesPipeline(passes, tiles); },
          0.3)) ||
      (op == *module && (failed(checkTiles(op)) ||
                         failed(describeAddedPrograms(op, manifest)))) ||
      failed(replaceStages(op)) || failed(prove(op)) ||
      failed(runPasses(
          op, prefix + "5-cpu",
          [&](OpPassManager &passes) { buildCpuPipeline(passes, target); },
          0.45)) ||
      failed(runPasses(op, prefix + "6-llvm", buildLlvmPipeline, 0.55)))
    return failure();
  ObjectProgress progress;
  if (options.progress && op == *module)
    progress = [this](double share) {
      report(std::string(currentPhase), 0.6 + 0.25 * share);
    };
  return compileImage(op, target, imageExports(op), progress);
}

LogicalResult Compilation::checkTiles(ModuleOp op) {
  llvm::SetVector<StringRef> shapes;
  op.walk([&](Operation *inner) {
    if (auto tile = inner->getAttrOfType<DictionaryAttr>(tileAttrName))
      shapes.insert(tile.getAs<StringAttr>("of").getValue());
  });
  bool areKnown = true;
  for (int i = 0; i < options.tile_count; ++i) {
    StringRef shape = StringRef(options.tiles[i]).rsplit('=').first;
    if (shapes.contains(shape))
      continue;
    addError(("no kernel of the model is '" + shape + "', only '").str() +
             llvm::join(shapes, "', '") + "'");
    areKnown = false;
  }
  return success(areKnown);
}

LogicalResult Compilation::replaceStages(ModuleOp op) {
  if (!options.stages_from || op != *module)
    return success();
  auto given = parseSourceFile<ModuleOp>(options.stages_from, context.get());
  if (!given)
    return failure();
  op.getBodyRegion().takeBody(given->getBodyRegion());
  op->setAttrs((*given)->getAttrs());
  return success();
}

LogicalResult Compilation::prove(ModuleOp op) {
  if (!options.prove)
    return success();
  PassManager passes(context.get());
  if (options.timing)
    passes.enableTiming();
  buildProvePipeline(passes);
  // Loops are written out for the checkers alone.
  OwningOpRef<ModuleOp> copy = op.clone();
  return passes.run(*copy);
}

LogicalResult Compilation::writeArtifact() {
  report("write", 0.85);
  if (untiled)
    undescribed = manifest;
  describeCode(*module, target, manifest);
  manifest.version = INGOT_VERSION;
  manifest.source = llvm::sys::path::filename(onnxPath).str();
  manifest.options = "target " + target.name;
  if (knowsMachine)
    manifest.options += " as measured";
  for (const std::string &tile : tiles.given)
    manifest.options += ", tile " + tile;
  if (options.erase_dims)
    manifest.options += ", dims erased";
  if (options.generate)
    manifest.options += ", for generation";
  for (int i = 0; i < options.setting_count; ++i)
    manifest.options += std::string(", set ") + options.settings[i];
  for (int i = 0; i < options.dim_count; ++i)
    manifest.options += std::string(", dim ") + options.dims[i];
  if (options.activation_bits)
    manifest.options +=
        ", activations of " + std::to_string(options.activation_bits) + " bits";

  auto writer = ArtifactWriter::create(outPath, weights.sectionBytes);
  if (!writer.ok()) {
    addError(writer.status().message());
    return failure();
  }
  WeightFiles files;
  std::span<unsigned char> section = writer->get()->weights();
  if (failed(copyWeights(weights, files, section, [&](double share) {
        report("write", 0.85 + 0.1 * share);
      })))
    return failure();
  if (weightFunctions &&
      failed(runWeightFunctions(weights, (*module)->getLoc(), weightImage,
                                files, section)))
    return failure();
  if (untiled && failed(tuneTiles(section)))
    return failure();
  rt::Status status = writer->get()->finish(
      manifest,
      {reinterpret_cast<const unsigned char *>(image.data()), image.size()});
  if (!status.ok()) {
    addError(status.message());
    return failure();
  }
  report("done", 1.0);
  return success();
}

LogicalResult
Compilation::runPasses(ModuleOp op, StringRef phase,
                       llvm::function_ref<void(OpPassManager &)> build,
                       double end) {
  PassManager passes(context.get());
  passes.enableVerifier(options.verify_each);
  if (options.timing)
    passes.enableTiming();
  build(passes);
  // The weight functions are compiled beside the program, which takes longer.
  if (options.progress && op == *module)
    passes.addInstrumentation(std::make_unique<PassProgress>(
        op, passes.size(), [this, start = currentFraction, end](double share) {
          report(std::string(currentPhase), start + (end - start) * share);
        }));
  LogicalResult result = passes.run(op);
  dump(op, phase);
  return result;
}

void Compilation::dump(ModuleOp op, StringRef phase) {
  if (!options.dump_dir)
    return;
  llvm::SmallString<128> path(options.dump_dir);
  llvm::sys::path::append(path, phase + ".mlir");
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code) {
    addError(("cannot write '" + path + "': " + code.message()).str());
    return;
  }
  OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(64);
  op->print(stream, flags);
}

} // namespace ingot
