//===- Graph.h - an ONNX model as one flat, sorted list of nodes --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_GRAPH_H
#define INGOT_LIB_IMPORT_ONNX_GRAPH_H

#include "Errors.h"
#include "onnx-ml.pb.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace ingot::onnxin {

/// A value of the model: an index into Graph::names. Negative: absent.
using ValueId = int;
inline constexpr ValueId kAbsent = -1;

/// Versions of the operator sets, by domain ("" is ONNX's own).
using Opsets = llvm::StringMap<int64_t>;

/// What names mean inside a graph, a subgraph or a function call.
struct Scope {
  const Scope *outer = nullptr; ///< Of a subgraph: where its free names live.
  llvm::StringMap<ValueId> values;
  llvm::StringMap<const onnx::AttributeProto *> attributes;
  std::shared_ptr<const Opsets> opsets;
  std::string prefix; ///< For names of nodes within function calls.
  bool isFunction = false;
  unsigned depth = 0;
};

struct Node {
  llvm::StringRef op;
  llvm::StringRef domain;
  int64_t opset = 0;
  std::string name; ///< What users see: its own name, or op and output.
  llvm::SmallVector<ValueId, 4> inputs;
  llvm::SmallVector<ValueId, 2> outputs;
  /// What subgraphs of the node read from outside.
  llvm::SmallVector<ValueId, 0> captured;
  llvm::SmallVector<std::pair<llvm::StringRef, const onnx::AttributeProto *>>
      attributes;
  const Scope *scope = nullptr;
};

/// The live part of a model after inlining its local functions.
struct Graph {
  std::vector<std::string> names;
  std::vector<Node> nodes; ///< Every value before its uses.
  std::vector<std::pair<ValueId, const onnx::TensorProto *>> initializers;
  std::vector<std::pair<ValueId, const onnx::ValueInfoProto *>> inputs;
  std::vector<std::pair<ValueId, const onnx::ValueInfoProto *>> outputs;
  std::deque<Scope> scopes;
};

/// Flattens `model`: resolves names, inlines model-local functions, drops nodes
/// that no output needs and sorts the rest. Names that are defined twice or
/// never, cycles and recursion end in `errors`.
std::unique_ptr<Graph> buildGraph(const onnx::ModelProto &model,
                                  unsigned maxNodes, Errors &errors);

/// Appends the nodes of `body`, a subgraph of a node in `scope`, to `nodes`, in
/// an order in which they can run, and the values it yields to `results`.
bool expandSubgraph(Graph &graph, const onnx::ModelProto &model,
                    const onnx::GraphProto &body, const Scope &scope,
                    unsigned maxNodes, Errors &errors, std::vector<Node> &nodes,
                    llvm::SmallVectorImpl<ValueId> &results);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_GRAPH_H
