//===- Compilation.h - one model on its way to an artifact ------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot-c/Compiler.h"
#include "ingot/Pipelines/CpuPipelines.h"
#include "lib/Driver/TunedRuns.h"
#include "lib/Driver/Weights.h"
#include "runtime/core/Manifest.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include <mutex>
#include <string>
#include <vector>

namespace ingot {

/// Compiles one ONNX file. Every error goes to `errors`, one line each.
class Compilation {
public:
  Compilation(const IngotCompileOptions &options, std::string onnxPath,
              std::string outPath);
  ~Compilation();

  /// True on success; the artifact is then at the given path.
  bool run();
  /// Why it failed: a line a reason, without repeats.
  std::string errorText() const;

private:
  using Image = llvm::SmallVector<char, 0>;

  mlir::LogicalResult importModel();
  mlir::LogicalResult toStructuredOps();
  mlir::LogicalResult compileImages();
  /// Runs stages to image on a module of linalg and structured ops.
  mlir::FailureOr<Image> compileModule(mlir::ModuleOp module,
                                       const TargetInfo &target);
  /// Whether every tile that was given is one of an op.
  mlir::LogicalResult checkTiles(mlir::ModuleOp module);
  /// Takes the tiles of a tuned artifact (TuneTiles.cpp).
  mlir::LogicalResult takeTiles();
  /// Whether tuning is possible at all.
  mlir::LogicalResult checkTuning();
  /// Tries tiles on the finished weights and takes the best.
  mlir::LogicalResult tuneTiles(std::span<unsigned char> weights);
  /// The shapes of the program's kernels and tiles to try for them.
  std::vector<ShapeTrial> shapesToTune();
  /// The program with these tiles, as an artifact would have it.
  std::optional<TunedProgram> variant(llvm::ArrayRef<ShapeTrial> shapes,
                                      llvm::ArrayRef<Tile> chosen);
  /// Takes planned programs from a file, where a test asks for it.
  mlir::LogicalResult replaceStages(mlir::ModuleOp module);
  /// Proves the programs of a module, if that was asked for.
  mlir::LogicalResult prove(mlir::ModuleOp module);
  mlir::LogicalResult writeArtifact();

  /// Progress goes from where it is to `end`.
  mlir::LogicalResult
  runPasses(mlir::ModuleOp module, llvm::StringRef phase,
            llvm::function_ref<void(mlir::OpPassManager &)> build, double end);
  void dump(mlir::ModuleOp module, llvm::StringRef phase);
  void report(llvm::StringRef phase, double fraction);
  void addError(std::string line);

  IngotCompileOptions options;
  std::string onnxPath, outPath;
  TargetInfo target;
  TileChoices tiles;
  /// Whether they are chosen for this machine as it was measured.
  bool knowsMachine = false;
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The same before stages, where tiles are to be tried.
  mlir::OwningOpRef<mlir::ModuleOp> untiled;
  /// The functions from weights to weights, if there are any.
  mlir::OwningOpRef<mlir::ModuleOp> weightFunctions;
  WeightTable weights;
  Image image, weightImage;
  rt::Manifest manifest;
  /// The same before code was described.
  rt::Manifest undescribed;
  /// What was reported last.
  std::string currentPhase;
  double currentFraction = 0;
  std::mutex mutex;
  std::vector<std::string> errors;
  /// What was proved, a line each.
  std::vector<std::string> proofs;
};

} // namespace ingot
