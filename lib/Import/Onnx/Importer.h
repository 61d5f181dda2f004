//===- Importer.h - turns a flat graph into a module ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_IMPORTER_H
#define INGOT_LIB_IMPORT_ONNX_IMPORTER_H

#include "NodeContext.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

#include <map>
#include <string>
#include <tuple>

namespace ingot::onnxin {

/// What one program of a model takes for granted.
struct Assumption {
  /// A boolean input of one element, and its value.
  std::string input;
  bool value = false;
  /// Inputs that such a program does not read. Their dims are symbols of their
  /// own: what a file says of them may be wrong where nobody looks.
  llvm::StringSet<> unread;
  /// Names that symbols must not have.
  llvm::StringSet<> taken;
};

/// Imports the nodes of a graph one after the other into `main`.
class Importer {
public:
  Importer(ModelFile &file, Graph &graph, const OnnxImportOptions &options,
           Errors &errors, mlir::MLIRContext *context,
           const Assumption *assumption = nullptr);

  /// The module; null after errors, and where programs of their own are wanted
  /// for the values of an input.
  mlir::OwningOpRef<mlir::ModuleOp> run();
  /// The input that a condition depends on alone; empty if there is none.
  llvm::StringRef deciderName() const { return decider; }

  Emitter &emitter() { return emit; }
  Errors &errorList() { return errors; }
  mlir::MLIRContext *context() { return emit.builder.getContext(); }

  Tensor &tensor(ValueId id) { return tensors[id]; }
  /// The tensor as an SSA value.
  Value materialize(ValueId id);
  /// What is known of its elements, or null.
  const Contents *contents(ValueId id);
  void define(ValueId id, Tensor tensor);
  /// Makes a value from constant data of the file; `name` is for a weight.
  Value materialize(Tensor &tensor, llvm::StringRef name);
  /// The bytes of a constant of the file as a tensor of another type that has
  /// as many; null where they are no such bytes. Nothing is copied.
  Value viewBytes(ValueId id, Type type, llvm::ArrayRef<int64_t> dims);
  llvm::StringRef nameOf(ValueId id) const { return graph.names[id]; }
  /// A tensor for an initializer or a constant attribute; false after an error.
  bool readTensor(const onnx::TensorProto &proto, llvm::StringRef where,
                  Tensor &tensor);

  /// Whether an input decides the condition `id` alone. Then no module comes of
  /// this import; those of the programs for its values follow.
  bool isDecided(ValueId id);
  /// Imports `body`, a subgraph of `node`, in place; its results by value id.
  bool importBranch(const onnx::GraphProto &body, const Node &node,
                    llvm::SmallVectorImpl<ValueId> &results);
  /// Requires a symbol to be at least `min` when the program is run.
  void requireAtLeast(llvm::StringRef symbol, int64_t min);

private:
  void checkSupport();
  bool verifyModule();
  void importInitializers(size_t from);
  bool importInputs();
  DimShape inputDims(const onnx::ValueInfoProto &info);
  std::string symbolFor(llvm::StringRef text);
  void collectSymbols();
  bool applySettings();
  bool readFixedDims();
  bool applySetting(llvm::StringRef setting, llvm::StringSet<> &done);
  enum class Elements { One, Several, Unknown };
  Elements elementsOf(ValueId input);
  void noteDecider(ValueId input);
  void passDecider(const Node &node);
  void importNodes(llvm::ArrayRef<Node> nodes);
  void importNode(const Node &node);
  void checkDeclared(llvm::StringRef name, const onnx::TypeProto &type,
                     const Tensor &tensor);
  void importOutputs();
  Value materializeContents(const Contents &contents, Type type);
  Value materializeData(const TensorData &data, Type type,
                        llvm::StringRef name);
  Value materializeWeight(llvm::StringRef path, uint64_t offset,
                          uint64_t length, mlir::RankedTensorType type,
                          llvm::StringRef name);

  ModelFile &file;
  Graph &graph;
  const OnnxImportOptions &options;
  Errors &errors;
  const Assumption *assumption;
  std::string decider;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  mlir::SymbolTable symbols;
  Emitter emit;
  std::vector<Tensor> tensors;
  /// Symbols by the text of a dim_param, and names already given.
  llvm::StringMap<std::string> symbolNames;
  llvm::StringSet<> usedSymbols;
  /// The weights met so far by file, offset and type.
  std::map<std::tuple<std::string, uint64_t, const void *>, mlir::Value>
      weightsAt;
  llvm::StringSet<> plainSymbols;
  /// Names of dims that the user made numbers.
  llvm::StringMap<int64_t> fixedDims;
  llvm::StringMap<int64_t> minima;
  std::vector<std::string> symbolOrder;
  unsigned branchDepth = 0;
  unsigned imported = 0;
};

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_IMPORTER_H
