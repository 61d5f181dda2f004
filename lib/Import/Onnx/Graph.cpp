//===- Graph.cpp - an ONNX model as one flat, sorted list of nodes ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Graph.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"
#include <queue>

using namespace llvm;

namespace ingot::onnxin {
namespace {

/// Functions that call each other deeper than this call themselves, or were
/// made to exhaust the importer.
constexpr unsigned kMaxCallDepth = 64;

/// The name of a domain; ONNX's own has two spellings.
StringRef normalDomain(StringRef domain) {
  return domain == "ai.onnx" ? StringRef() : domain;
}

template <typename Imports>
std::shared_ptr<const Opsets> readOpsets(const Imports &imports) {
  auto opsets = std::make_shared<Opsets>();
  for (const onnx::OperatorSetIdProto &entry : imports)
    (*opsets)[normalDomain(entry.domain())] = entry.version();
  return opsets;
}

std::string functionKey(StringRef domain, StringRef name, StringRef overload) {
  return (normalDomain(domain) + "\n" + name + "\n" + overload).str();
}

class Flattener {
public:
  Flattener(Graph &graph, const onnx::ModelProto &model, unsigned maxNodes,
            Errors &errors)
      : graph(graph), maxNodes(maxNodes), errors(errors) {
    for (const onnx::FunctionProto &function : model.functions())
      functions[functionKey(function.domain(), function.name(),
                            function.overload())] = &function;
  }

  ValueId newValue(StringRef name) {
    graph.names.push_back(name.str());
    return graph.names.size() - 1;
  }
  /// The value that `name` means in `scope`, made when it is new there.
  ValueId lookup(Scope &scope, StringRef name);
  /// Marks `id` as defined; reports the second definition.
  void define(ValueId id, StringRef where);
  void nodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &list,
             Scope &scope, std::vector<Node> &out);

private:
  void node(const onnx::NodeProto &proto, Scope &scope, std::vector<Node> &out);
  void call(const onnx::FunctionProto &function, const Node &node,
            const Scope &scope, std::vector<Node> &out);
  void capture(const onnx::GraphProto &body, Scope &scope, Node &node,
               StringSet<> bound, unsigned depth);

  Graph &graph;
  unsigned maxNodes;
  Errors &errors;
  StringMap<const onnx::FunctionProto *> functions;
  BitVector defined;
  unsigned made = 0;
};

ValueId Flattener::lookup(Scope &scope, StringRef name) {
  if (name.empty())
    return kAbsent;
  for (const Scope *at = &scope; at; at = at->outer)
    if (auto found = at->values.find(name); found != at->values.end())
      return found->second;
  ValueId id = newValue(scope.prefix + name.str());
  scope.values[name] = id;
  return id;
}

void Flattener::define(ValueId id, StringRef where) {
  if (id == kAbsent)
    return;
  if (defined.size() <= size_t(id))
    defined.resize(std::max<size_t>(graph.names.size(), id + 1));
  if (defined.test(id))
    errors.add("", "value '" + graph.names[id] + "' is defined twice", where);
  defined.set(id);
}

void Flattener::nodes(
    const google::protobuf::RepeatedPtrField<onnx::NodeProto> &list,
    Scope &scope, std::vector<Node> &out) {
  for (const onnx::NodeProto &proto : list)
    node(proto, scope, out);
}

void Flattener::node(const onnx::NodeProto &proto, Scope &scope,
                     std::vector<Node> &out) {
  if (++made > maxNodes) {
    if (made == maxNodes + 1)
      errors.add("", "the model has more than " + Twine(maxNodes) +
                         " nodes once its functions are inlined");
    return;
  }
  Node node;
  node.op = proto.op_type();
  node.domain = normalDomain(proto.domain());
  node.scope = &scope;
  if (!proto.name().empty())
    node.name = scope.prefix + proto.name();
  else
    node.name =
        scope.prefix + proto.op_type() + "->" +
        (proto.output_size() ? proto.output(0) : std::string("nothing"));
  for (const std::string &name : proto.input())
    node.inputs.push_back(lookup(scope, name));
  for (const onnx::AttributeProto &attribute : proto.attribute()) {
    const onnx::AttributeProto *actual = &attribute;
    if (!attribute.ref_attr_name().empty()) {
      // Inside a function: the caller's attribute, absent if it gave none.
      const Scope *at = &scope;
      while (at->outer)
        at = at->outer;
      actual = at->attributes.lookup(attribute.ref_attr_name());
    }
    if (actual)
      node.attributes.push_back({attribute.name(), actual});
  }
  for (const std::string &name : proto.output()) {
    ValueId id = kAbsent;
    if (!name.empty()) {
      // A result of a subgraph hides a value of the same name outside.
      auto found = scope.values.find(name);
      id = found != scope.values.end() ? found->second
                                       : newValue(scope.prefix + name);
      scope.values[name] = id;
    }
    node.outputs.push_back(id);
  }

  auto function = functions.find(
      functionKey(proto.domain(), proto.op_type(), proto.overload()));
  if (function != functions.end())
    return call(*function->second, node, scope, out);

  for (ValueId id : node.outputs)
    define(id, node.name);
  for (auto &[name, attribute] : node.attributes) {
    if (attribute->has_g())
      capture(attribute->g(), scope, node, {}, 0);
    for (const onnx::GraphProto &body : attribute->graphs())
      capture(body, scope, node, {}, 0);
  }
  auto version = scope.opsets->find(node.domain);
  if (version != scope.opsets->end())
    node.opset = version->second;
  out.push_back(std::move(node));
}

void Flattener::call(const onnx::FunctionProto &function, const Node &node,
                     const Scope &scope, std::vector<Node> &out) {
  if (scope.depth >= kMaxCallDepth) {
    errors.add("", "function '" + function.name() + "' is called recursively",
               node.name);
    return;
  }
  graph.scopes.emplace_back();
  Scope &inner = graph.scopes.back();
  inner.prefix = node.name + "/";
  inner.isFunction = true;
  inner.depth = scope.depth + 1;
  inner.opsets = readOpsets(function.opset_import());
  if (int(node.inputs.size()) > function.input_size() ||
      int(node.outputs.size()) > function.output_size()) {
    errors.add("",
               "function '" + function.name() +
                   "' is called with more inputs or outputs than it has",
               node.name);
    return;
  }
  for (auto [index, name] : llvm::enumerate(function.input())) {
    ValueId given = index < node.inputs.size() ? node.inputs[index] : kAbsent;
    // An absent input is found as absent, not as a new value.
    inner.values[name] = given;
  }
  for (const onnx::AttributeProto &attribute : function.attribute_proto())
    inner.attributes[attribute.name()] = &attribute;
  for (auto &[name, attribute] : node.attributes)
    inner.attributes[name] = attribute;
  // Results get the caller's ids, unless the function passes an input on.
  for (auto [index, name] : llvm::enumerate(function.output())) {
    if (index >= node.outputs.size() || node.outputs[index] == kAbsent)
      continue;
    auto [place, isNew] = inner.values.try_emplace(name, node.outputs[index]);
    if (isNew)
      continue;
    Node identity;
    identity.op = "Identity";
    identity.opset = 1;
    identity.name = node.name;
    identity.inputs.push_back(place->second);
    identity.outputs.push_back(node.outputs[index]);
    identity.scope = &inner;
    define(node.outputs[index], node.name);
    out.push_back(std::move(identity));
  }
  nodes(function.node(), inner, out);
}

void Flattener::capture(const onnx::GraphProto &body, Scope &scope, Node &node,
                        StringSet<> bound, unsigned depth) {
  if (depth > kMaxCallDepth)
    return;
  for (const onnx::ValueInfoProto &input : body.input())
    bound.insert(input.name());
  for (const onnx::TensorProto &tensor : body.initializer())
    bound.insert(tensor.name());
  for (const onnx::NodeProto &inner : body.node())
    for (const std::string &name : inner.output())
      bound.insert(name);
  auto use = [&](const std::string &name) {
    if (!name.empty() && !bound.contains(name))
      node.captured.push_back(lookup(scope, name));
  };
  for (const onnx::NodeProto &inner : body.node()) {
    for (const std::string &name : inner.input())
      use(name);
    for (const onnx::AttributeProto &attribute : inner.attribute()) {
      if (attribute.has_g())
        capture(attribute.g(), scope, node, bound, depth + 1);
      for (const onnx::GraphProto &graph : attribute.graphs())
        capture(graph, scope, node, bound, depth + 1);
    }
  }
  for (const onnx::ValueInfoProto &output : body.output())
    use(output.name());
}

/// Calls `visit` with every value that `node` reads.
template <typename Visit> void forEachUse(const Node &node, Visit visit) {
  for (ValueId id : node.inputs)
    if (id != kAbsent)
      visit(id);
  for (ValueId id : node.captured)
    if (id != kAbsent)
      visit(id);
}

/// Names the nodes of one cycle among those that could not be sorted.
void reportCycle(const std::vector<Node> &nodes, ArrayRef<int> producer,
                 const BitVector &done, Errors &errors) {
  int at = done.find_first_unset();
  if (at < 0)
    return;
  // Whatever waits has a producer that waits: walking back ends in a cycle.
  std::vector<int> seenAt(nodes.size(), -1);
  std::vector<int> path;
  while (seenAt[at] < 0) {
    seenAt[at] = path.size();
    path.push_back(at);
    int next = -1;
    forEachUse(nodes[at], [&](ValueId id) {
      if (next < 0 && producer[id] >= 0 && !done.test(producer[id]))
        next = producer[id];
    });
    if (next < 0)
      return;
    at = next;
  }
  std::string text;
  size_t named = 0;
  for (size_t i = path.size(); i-- > size_t(seenAt[at]);) {
    if (++named > 8) {
      text += "... -> ";
      break;
    }
    text += "'" + nodes[path[i]].name + "' -> ";
  }
  errors.add("", "the graph has a cycle: " + text + "'" +
                     nodes[path.back()].name + "'");
}

/// Keeps the nodes that `wanted` needs, each after what it reads.
std::vector<Node> sortLive(std::vector<Node> nodes, ArrayRef<ValueId> wanted,
                           size_t values, Errors &errors) {
  std::vector<int> producer(values, -1);
  for (auto [index, node] : llvm::enumerate(nodes))
    for (ValueId id : node.outputs)
      if (id != kAbsent)
        producer[id] = index;
  BitVector live(nodes.size());
  std::vector<int> work;
  auto need = [&](ValueId id) {
    if (id != kAbsent && producer[id] >= 0 && !live.test(producer[id])) {
      live.set(producer[id]);
      work.push_back(producer[id]);
    }
  };
  for (ValueId id : wanted)
    need(id);
  while (!work.empty()) {
    int index = work.back();
    work.pop_back();
    forEachUse(nodes[index], need);
  }
  std::vector<int> waiting(nodes.size(), 0);
  std::vector<SmallVector<int, 2>> users(nodes.size());
  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  BitVector done(nodes.size());
  for (size_t i = 0; i != nodes.size(); ++i) {
    if (!live.test(i)) {
      done.set(i);
      continue;
    }
    forEachUse(nodes[i], [&](ValueId id) {
      if (producer[id] >= 0) {
        ++waiting[i];
        users[producer[id]].push_back(i);
      }
    });
    if (!waiting[i])
      ready.push(i);
  }
  // Among the nodes that can come next, the file's order is kept.
  std::vector<int> order;
  while (!ready.empty()) {
    int index = ready.top();
    ready.pop();
    done.set(index);
    order.push_back(index);
    for (int user : users[index])
      if (--waiting[user] == 0)
        ready.push(user);
  }
  if (!done.all())
    reportCycle(nodes, producer, done, errors);
  std::vector<Node> sorted;
  sorted.reserve(order.size());
  for (int index : order)
    sorted.push_back(std::move(nodes[index]));
  return sorted;
}

/// Reports values that are read but that nothing makes.
void checkDefined(const Graph &graph, const std::vector<Node> &nodes,
                  BitVector known, Errors &errors) {
  known.resize(graph.names.size());
  for (const Node &node : nodes)
    for (ValueId id : node.outputs)
      if (id != kAbsent)
        known.set(id);
  for (const Node &node : nodes)
    forEachUse(node, [&](ValueId id) {
      if (!known.test(id))
        errors.add("",
                   "value '" + graph.names[id] +
                       "' is read, but nothing defines it",
                   node.name);
    });
  for (auto [id, info] : graph.outputs)
    if (id == kAbsent || !known.test(id))
      errors.add("", "output '" + info->name() + "' is not defined");
}

} // namespace

std::unique_ptr<Graph> buildGraph(const onnx::ModelProto &model,
                                  unsigned maxNodes, Errors &errors) {
  auto graph = std::make_unique<Graph>();
  graph->scopes.emplace_back();
  Scope &scope = graph->scopes.back();
  scope.opsets = readOpsets(model.opset_import());
  Flattener flattener(*graph, model, maxNodes, errors);
  const onnx::GraphProto &proto = model.graph();

  for (const onnx::TensorProto &tensor : proto.initializer()) {
    ValueId id = flattener.lookup(scope, tensor.name());
    flattener.define(id, "initializer");
    if (id != kAbsent)
      graph->initializers.push_back({id, &tensor});
  }
  for (const onnx::SparseTensorProto &tensor : proto.sparse_initializer())
    errors.add(kUnsupportedType,
               "sparse initializer '" + tensor.values().name() + "'");
  StringSet<> initializers;
  for (const onnx::TensorProto &tensor : proto.initializer())
    initializers.insert(tensor.name());
  // Hosts and manifests hold these names as text that ends with a null byte.
  auto checkName = [&](StringRef what, StringRef name) {
    if (json::isUTF8(name) && !name.contains('\0'))
      return;
    std::string escaped;
    raw_string_ostream os(escaped);
    printEscapedString(name, os);
    errors.add("", "the name of " + what + " '" + escaped +
                       "' is not UTF-8 without null bytes");
  };
  for (const onnx::ValueInfoProto &input : proto.input()) {
    // Files before IR version 4 list initializers among the inputs.
    if (initializers.contains(input.name()))
      continue;
    ValueId id = flattener.lookup(scope, input.name());
    if (id == kAbsent) {
      errors.add("", "an input has no name");
      continue;
    }
    checkName("input", input.name());
    flattener.define(id, "input");
    graph->inputs.push_back({id, &input});
  }
  std::vector<Node> nodes;
  flattener.nodes(proto.node(), scope, nodes);
  SmallVector<ValueId> wanted;
  for (const onnx::ValueInfoProto &output : proto.output()) {
    checkName("output", output.name());
    ValueId id = flattener.lookup(scope, output.name());
    graph->outputs.push_back({id, &output});
    wanted.push_back(id);
  }
  if (graph->outputs.empty())
    errors.add("", "the graph has no outputs");
  graph->nodes =
      sortLive(std::move(nodes), wanted, graph->names.size(), errors);
  BitVector known(graph->names.size());
  for (auto [id, tensor] : graph->initializers)
    known.set(id);
  for (auto [id, info] : graph->inputs)
    known.set(id);
  if (errors.empty())
    checkDefined(*graph, graph->nodes, std::move(known), errors);
  return graph;
}

bool expandSubgraph(Graph &graph, const onnx::ModelProto &model,
                    const onnx::GraphProto &body, const Scope &scope,
                    unsigned maxNodes, Errors &errors, std::vector<Node> &nodes,
                    SmallVectorImpl<ValueId> &results) {
  size_t before = errors.recorded();
  Flattener flattener(graph, model, maxNodes, errors);
  graph.scopes.emplace_back();
  Scope &inner = graph.scopes.back();
  inner.outer = &scope;
  inner.opsets = scope.opsets;
  inner.prefix = scope.prefix;
  inner.depth = scope.depth + 1;
  // Names made inside must not be found outside under the same name.
  for (const onnx::TensorProto &tensor : body.initializer()) {
    ValueId id = flattener.newValue(tensor.name());
    inner.values[tensor.name()] = id;
    graph.initializers.push_back({id, &tensor});
  }
  for (const onnx::NodeProto &node : body.node())
    for (const std::string &name : node.output())
      if (!name.empty() && !inner.values.contains(name))
        inner.values[name] = flattener.newValue(scope.prefix + name);
  std::vector<Node> flat;
  flattener.nodes(body.node(), inner, flat);
  for (const onnx::ValueInfoProto &output : body.output())
    results.push_back(flattener.lookup(inner, output.name()));
  nodes = sortLive(std::move(flat), results, graph.names.size(), errors);
  return errors.recorded() == before;
}

} // namespace ingot::onnxin
