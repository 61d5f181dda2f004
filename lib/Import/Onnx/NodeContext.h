//===- NodeContext.h - what the import of one node sees ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_NODECONTEXT_H
#define INGOT_LIB_IMPORT_ONNX_NODECONTEXT_H

#include "Emitter.h"
#include "Errors.h"
#include "Graph.h"
#include "llvm/ADT/StringSet.h"

namespace ingot::onnxin {

/// What is known about a value of the model. A constant or a computed shape
/// becomes an op only when something needs it as data.
struct Tensor {
  bool bad = false; ///< An error was reported where it was made.
  Type type;        ///< Of its elements.
  DimShape dims;
  Value value;
  std::shared_ptr<const Contents> contents;
  std::shared_ptr<const TensorData> data;
  /// The boolean input of the model that decides the elements alone; absent
  /// where there is none, or where its value is assumed.
  ValueId decider = kAbsent;
};

class Importer;

/// The MLIR type of an ONNX element type, or null.
Type elementTypeFor(int dtype, mlir::MLIRContext *context);

/// The node being imported: its operands and attributes, what it makes, and the
/// errors it ends in. Attributes that are never asked for are unsupported ones.
class NodeContext {
public:
  NodeContext(Importer &importer, const Node &node);

  Importer &importer;
  const Node &node;
  Emitter &e;

  // Operands; reading an absent one gives null or empty.
  size_t inputs() const { return node.inputs.size(); }
  bool has(size_t i) const {
    return i < node.inputs.size() && node.inputs[i] != kAbsent;
  }
  const Tensor &in(size_t i) const;
  Value value(size_t i);
  Type type(size_t i) const { return in(i).type; }
  const DimShape &dims(size_t i) const { return in(i).dims; }
  int64_t rank(size_t i) const { return in(i).dims.size(); }
  /// The elements, where they are known when importing.
  const Contents *contents(size_t i) const;
  /// The elements as constants; reports a data-dependent shape if they are not.
  std::optional<llvm::SmallVector<int64_t>> constants(size_t i,
                                                      llvm::StringRef what);
  /// The elements as expressions; reports a data-dependent shape likewise.
  std::optional<DimShape> expressions(size_t i, llvm::StringRef what);

  // Attributes.
  bool hasAttribute(llvm::StringRef name);
  int64_t integer(llvm::StringRef name, int64_t otherwise);
  double real(llvm::StringRef name, double otherwise);
  std::string text(llvm::StringRef name, llvm::StringRef otherwise);
  llvm::SmallVector<int64_t> integers(llvm::StringRef name);
  std::optional<llvm::SmallVector<int64_t>>
  optionalIntegers(llvm::StringRef name);
  const onnx::AttributeProto *attribute(llvm::StringRef name);
  /// Accepts attributes that do not change what is computed.
  void ignore(std::initializer_list<llvm::StringRef> names);
  /// Axes as an attribute, or as input `i` since an opset; nothing if absent.
  std::optional<llvm::SmallVector<int64_t>>
  axes(size_t i, llvm::StringRef attribute = "axes");

  /// A negative axis counted from the end; reports one out of range.
  std::optional<int64_t> normalAxis(int64_t axis, int64_t rank);
  bool normalAxes(llvm::MutableArrayRef<int64_t> axes, int64_t rank);

  // Results.
  size_t outputs() const { return node.outputs.size(); }
  bool wants(size_t i) const {
    return i < node.outputs.size() && node.outputs[i] != kAbsent;
  }
  void out(size_t i, Value value);
  void outContents(size_t i, Contents contents, Type type);
  /// The result is input `i` itself.
  void pass(size_t result, size_t input);

  // Errors; each marks the node as failed.
  void error(const llvm::Twine &message);
  void unsupported(llvm::StringRef tag, const llvm::Twine &message);
  /// `name = value` is not supported.
  void unsupportedAttribute(llvm::StringRef name, const llvm::Twine &value);
  void dataDependent(const llvm::Twine &what);
  void unsupportedType(Type type);
  bool failed() const { return hasFailed; }
  /// Reports attributes that nothing has asked for.
  void checkAttributes();

private:
  /// Why there is no value for a result.
  std::string whyNothing() const;

  llvm::StringSet<> seen;
  /// Absent operands that were read.
  llvm::SmallVector<size_t> missed;
  bool hasFailed = false;
};

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_NODECONTEXT_H
