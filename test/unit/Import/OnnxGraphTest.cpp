//===- OnnxGraphTest.cpp - graphs are flattened, checked and sorted -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Import/Onnx/Graph.h"

#include "gtest/gtest.h"

using namespace ingot;
using namespace ingot::onnxin;

namespace {

void addNode(onnx::GraphProto &graph, const char *op, const char *domain,
             std::vector<const char *> inputs,
             std::vector<const char *> outputs) {
  onnx::NodeProto &node = *graph.add_node();
  node.set_op_type(op);
  node.set_domain(domain);
  for (const char *name : inputs)
    node.add_input(name);
  for (const char *name : outputs)
    node.add_output(name);
}

onnx::ModelProto emptyModel() {
  onnx::ModelProto model;
  onnx::OperatorSetIdProto &opset = *model.add_opset_import();
  opset.set_version(18);
  model.mutable_graph()->add_input()->set_name("x");
  model.mutable_graph()->add_output()->set_name("y");
  return model;
}

std::vector<std::string> opsOf(const Graph &graph) {
  std::vector<std::string> ops;
  for (const Node &node : graph.nodes)
    ops.push_back(node.op.str());
  return ops;
}

TEST(OnnxGraph, SortsAndDropsDeadNodes) {
  onnx::ModelProto model = emptyModel();
  addNode(*model.mutable_graph(), "Neg", "", {"t"}, {"y"});
  addNode(*model.mutable_graph(), "Exp", "", {"x"}, {"dead"});
  addNode(*model.mutable_graph(), "Abs", "", {"x"}, {"t"});
  std::vector<ImportError> list;
  Errors errors(list);
  std::unique_ptr<Graph> graph = buildGraph(model, 100, errors);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(opsOf(*graph), (std::vector<std::string>{"Abs", "Neg"}));
}

/// A function `name` whose body calls `callee` twice in a row.
void addDoubler(onnx::ModelProto &model, const char *name, const char *callee,
                const char *domain) {
  onnx::FunctionProto &function = *model.add_functions();
  function.set_name(name);
  function.set_domain("local");
  function.add_input("a");
  function.add_output("c");
  for (int i = 0; i != 2; ++i) {
    onnx::NodeProto &node = *function.add_node();
    node.set_op_type(callee);
    node.set_domain(domain);
    node.add_input(i ? "b" : "a");
    node.add_output(i ? "c" : "b");
  }
}

TEST(OnnxGraph, InlinesNestedCalls) {
  onnx::ModelProto model = emptyModel();
  addDoubler(model, "four", "two", "local");
  addDoubler(model, "two", "Relu", "");
  addNode(*model.mutable_graph(), "four", "local", {"x"}, {"y"});
  std::vector<ImportError> list;
  Errors errors(list);
  std::unique_ptr<Graph> graph = buildGraph(model, 100, errors);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(opsOf(*graph), std::vector<std::string>(4, "Relu"));
}

TEST(OnnxGraph, RecursionEnds) {
  onnx::ModelProto model = emptyModel();
  addDoubler(model, "self", "self", "local");
  addNode(*model.mutable_graph(), "self", "local", {"x"}, {"y"});
  std::vector<ImportError> list;
  Errors errors(list);
  buildGraph(model, 10000, errors);
  EXPECT_FALSE(list.empty());
}

TEST(OnnxGraph, ExponentialInliningEnds) {
  onnx::ModelProto model = emptyModel();
  std::vector<std::string> names{"Relu"};
  for (int i = 0; i != 40; ++i) {
    names.push_back("f" + std::to_string(i));
    addDoubler(model, names[i + 1].c_str(), names[i].c_str(), i ? "local" : "");
  }
  addNode(*model.mutable_graph(), names.back().c_str(), "local", {"x"}, {"y"});
  std::vector<ImportError> list;
  Errors errors(list);
  buildGraph(model, 10000, errors);
  ASSERT_FALSE(list.empty());
  EXPECT_NE(list[0].message.find("10000"), std::string::npos);
}

TEST(OnnxGraph, NamesTheNodesOfACycle) {
  onnx::ModelProto model = emptyModel();
  addNode(*model.mutable_graph(), "Add", "", {"x", "b"}, {"a"});
  addNode(*model.mutable_graph(), "Relu", "", {"a"}, {"b"});
  addNode(*model.mutable_graph(), "Neg", "", {"b"}, {"y"});
  std::vector<ImportError> list;
  Errors errors(list);
  buildGraph(model, 100, errors);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_NE(list[0].message.find("cycle"), std::string::npos);
  EXPECT_NE(list[0].message.find("Add->a"), std::string::npos);
  EXPECT_NE(list[0].message.find("Relu->b"), std::string::npos);
}

} // namespace
