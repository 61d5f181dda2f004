//===- CacheToState.cpp - pasts and presents become caches ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Decoder.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Decoder/InputRoles.h"
#include "lib/Transforms/Decoder/RelativeBias.h"
#include "lib/Transforms/Recognition/Matchers.h"

#include "mlir/IR/AttrTypeSubElements.h"

namespace ingot {
#define GEN_PASS_DEF_CACHETOSTATE
#include "lib/Transforms/Decoder/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// Rewrites one function.
class StateBuilder {
public:
  StateBuilder(func::FuncOp func, Decoder decoder, Type kvType, bool lastToken)
      : func(func), body(func.getBody().front()), decoder(std::move(decoder)),
        kvType(kvType), lastToken(lastToken) {}

  LogicalResult run() {
    addInputs();
    for (BlockArgument input : decoder.positions)
      replacePositions(input);
    if (decoder.lengths)
      decoder.lengths.replaceAllUsesWith(past);
    for (auto [i, cache] : llvm::enumerate(decoder.caches))
      replaceCache(i, cache);
    for (auto [i, cache] : llvm::enumerate(decoder.boundCaches))
      for (AttentionOp reader : cache.readers)
        replaceReader(reader, bound, decoder.caches.size() + i);
    auto ret = cast<func::ReturnOp>(body.getTerminator());
    Value logits = stripTensorCasts(ret.getOperand(decoder.logits));
    logitsName = outputName(func, decoder.logits);
    ret.getOperandsMutable().assign(logits);
    GraphRewriter(func).eraseDead();
    if (failed(replaceCounts()))
      return failure();
    setResult(ret);
    GraphRewriter(func).eraseDead();
    if (failed(checkRest()))
      return failure();
    if (positions)
      decoder.maxPositions = rowsOfTables(positions);
    limitPositions();
    describe();
    removeReplaced();
    return success();
  }

private:
  OpBuilder atStart() {
    OpBuilder b(func.getContext());
    b.setInsertionPointToStart(&body);
    return b;
  }

  Value addInput(Type type, StringRef name, ArrayRef<DimExpr> dims) {
    Builder b(func.getContext());
    NamedAttrList attrs;
    attrs.set(nameAttrName, b.getStringAttr(name));
    if (!dims.empty())
      attrs.set(dimsAttrName, DimsAttr::get(b.getContext(), dims));
    unsigned index = func.getNumArguments();
    (void)func.insertArgument(index, type, attrs.getDictionary(b.getContext()),
                              func.getLoc());
    return func.getArgument(index);
  }

  void addInputs() {
    numOld = func.getNumArguments();
    ShapeAnalysis shapes;
    Builder b(func.getContext());
    RankedTensorType type = tensorOf({decoder.rows}, b.getI64Type());
    past = addInput(type, pastInputName, {decoder.rows});
    count = addInput(type, countInputName, {decoder.rows});
    if (!decoder.boundCaches.empty())
      bound = addInput(type, boundInputName, {decoder.rows});
    firstCache = func.getNumArguments();
    for (auto [i, cacheType] : llvm::enumerate(cacheTypes(decoder, kvType)))
      addInput(cacheType, cacheName(i), {});
  }

public:
  /// The types of all caches, the bound ones last.
  static SmallVector<CacheType> cacheTypes(const Decoder &decoder,
                                           Type kvType) {
    ShapeAnalysis shapes;
    SmallVector<CacheType> types;
    auto add = [&](Value keys, Value values, Type element, int64_t window,
                   bool isBound) {
      const DimShape k = shapes.shapeOf(keys), v = shapes.shapeOf(values);
      if (kvType)
        element = kvType;
      else if (!element.isF16())
        element = Float32Type::get(element.getContext());
      types.push_back(CacheType::get(element.getContext(), *k[2].getConstant(),
                                     *k[3].getConstant(), *v[3].getConstant(),
                                     element, window, isBound));
    };
    for (const DecoderCache &cache : decoder.caches) {
      AttentionOp reader = cache.readers.front();
      const CacheTensor &keys = decoder.tensors[cache.views[0].first.tensor];
      add(reader.getK(), reader.getV(), elementTypeOf(keys.past), cache.window,
          /*isBound=*/false);
    }
    for (const BoundCache &cache : decoder.boundCaches)
      add(cache.keys, cache.values, elementTypeOf(cache.keys), /*window=*/0,
          /*isBound=*/true);
    return types;
  }

private:
  Value cacheArgument(size_t index) {
    return func.getArgument(firstCache + index);
  }

  /// Token s of a row stands at past + s. What lies behind the last real token
  /// repeats its position, so that no table ends before it.
  Value positionsOf() {
    if (positions)
      return positions;
    OpBuilder b = atStart();
    ShapeAnalysis shapes;
    Location loc = NameLoc::get(b.getStringAttr(pastInputName));
    Type i64 = b.getI64Type();
    DimExpr unit = DimExpr::constant(1);
    Value zero = buildScalar(b, loc, 0, i64), one = buildScalar(b, loc, 1, i64);
    Value number = RangeOp::create(
        b, loc, zero, one, DimsAttr::get(b.getContext(), {decoder.seq}));
    number = buildReshape(b, loc, number, {unit, decoder.seq}, shapes);
    Value last = SubOp::create(b, loc, count, one);
    last = buildReshape(b, loc, last, {decoder.rows, unit}, shapes);
    Value begin = buildReshape(b, loc, past, {decoder.rows, unit}, shapes);
    number = MinOp::create(b, loc, number, last);
    number = AddOp::create(b, loc, begin, number);
    positions = MaxOp::create(b, loc, number, zero);
    return positions;
  }

  void replacePositions(BlockArgument input) {
    Value value = positionsOf();
    OpBuilder b(func.getContext());
    b.setInsertionPointAfterValue(value);
    Type element = elementTypeOf(input);
    if (element != elementTypeOf(value))
      value = CastOp::create(b, value.getLoc(), value, element);
    if (value.getType() != input.getType())
      value = tensor::CastOp::create(b, value.getLoc(), input.getType(), value);
    input.replaceAllUsesWith(value);
  }

  /// Positions that the model counts itself.
  LogicalResult replaceCounts() {
    SmallVector<Value> counts =
        liftPositions(func, decoder, past, [&] { return positionsOf(); });
    GraphRewriter(func).eraseDead();
    if (!counts.empty() && decoder.positionsAreLookups)
      return func.emitError("the cache cannot become state: input '")
             << inputName(decoder.positions.front())
             << "' may hold positions, but the model counts them, too";
    countsPositions = !counts.empty();
    return success();
  }

  /// Appends before the first attention that reads the cache, and lets every
  /// one read it.
  void replaceCache(size_t index, const DecoderCache &cache) {
    AttentionOp first = cache.readers.front();
    OpBuilder b(first);
    auto appended = [&](const CacheView &view) {
      CacheTensor &tensor = decoder.tensors[view.tensor];
      return buildTranspose(b, tensor.extension->getLoc(), tensor.added,
                            view.permutation);
    };
    Value keys = appended(cache.views[0].first),
          values = appended(cache.views[0].second);
    KvAppendOp::create(b, first.getLoc(), keys, values, past, count,
                       cacheArgument(index));
    for (AttentionOp reader : cache.readers)
      replaceReader(reader, past, index);
  }

  /// Lets an attention read a cache of which rows have `length` positions.
  void replaceReader(AttentionOp reader, Value length, size_t index) {
    OpBuilder b(reader);
    Location loc = reader.getLoc();
    auto known = decoder.attentions.find(reader);
    DecoderAttention how;
    if (known != decoder.attentions.end())
      how = known->second;
    Value bias;
    if (how.bias)
      bias = buildRelativeBias(b, loc, *how.bias);
    auto paged = PagedAttentionOp::create(
        b, loc, reader.getQ(), length, count, cacheArgument(index), bias,
        reader.getScale().convertToDouble(), how.window,
        reader.getSoftcap().convertToDouble());
    Value result = paged->getResult(0), old = reader->getResult(0);
    if (result.getType() != old.getType())
      result = tensor::CastOp::create(b, loc, old.getType(), result);
    old.replaceAllUsesWith(result);
    reader.erase();
  }

  /// No sequence comes to be longer than what is known of its dims and biases.
  void limitPositions() {
    bool isBiased = llvm::any_of(decoder.attentions, [](auto &attention) {
      return attention.second.bias.has_value();
    });
    int64_t &most = decoder.maxPositions;
    auto limit = [&](int64_t positions) {
      most = most ? std::min(most, positions) : positions;
    };
    if (isBiased)
      limit(maxBiasDistance);
    if (auto dims = func->getParentOp()->getAttrOfType<IntegerAttr>(
            positionLimitAttrName))
      limit(dims.getInt());
  }

  /// The function gives logits alone.
  void setResult(func::ReturnOp ret) {
    Value logits = ret.getOperand(0);
    ShapeAnalysis shapes;
    DimShape dims = shapes.shapeOf(logits);
    OpBuilder b(ret);
    Location loc = logits.getLoc();
    if (lastToken) {
      if (decoder.seq.getSymbol())
        logits = takeLastToken(func, logits, past, count, decoder);
      b.setInsertionPoint(ret);
      dims.erase(dims.begin() + 1);
      ShapeAnalysis now;
      logits = buildReshape(b, loc, logits, dims, now);
    }
    if (!elementTypeOf(logits).isF32())
      logits = CastOp::create(b, loc, logits, b.getF32Type());
    ret.getOperandsMutable().assign(logits);
    func.setType(b.getFunctionType(func.getArgumentTypes(), logits.getType()));
    func.setResAttrsAttr(b.getArrayAttr(b.getDictionaryAttr(
        {b.getNamedAttr(dimsAttrName, DimsAttr::get(b.getContext(), dims)),
         b.getNamedAttr(nameAttrName, b.getStringAttr(logitsName))})));
  }

  /// Nothing else may read what is no input any more.
  LogicalResult checkRest() {
    LogicalResult result = success();
    for (BlockArgument input : body.getArguments().take_front(numOld)) {
      if (input == decoder.tokens || input.use_empty())
        continue;
      Operation *user = *input.getUsers().begin();
      result = user->emitError("the cache cannot become state: input '")
               << inputName(input) << "' is also used by this node";
    }
    std::string symbol = *decoder.past.getSymbol();
    func.walk([&](Operation *op) {
      for (NamedAttribute attr : op->getAttrs()) {
        auto dims = dyn_cast<DimsAttr>(attr.getValue());
        llvm::StringSet<> names;
        if (dims)
          for (const DimExpr &dim : dims.getDims())
            dim.collectSymbols(names);
        if (names.contains(symbol))
          result = op->emitError("the cache cannot become state: this node "
                                 "computes with the length of the past, which "
                                 "differs between rows");
      }
    });
    return result;
  }

  void describe() {
    Builder b(func.getContext());
    auto text = [&](const Twine &value) { return b.getStringAttr(value); };
    SmallVector<Attribute> replaced;
    if (auto before = func->getAttrOfType<ArrayAttr>(replacedAttrName))
      llvm::append_range(replaced, before);
    func->removeAttr(replacedAttrName);
    for (auto [mask, visible] : decoder.masks)
      replaced.push_back(
          text(inputName(mask) + ": all " + (visible ? "ones" : "zeros")));
    if (BlockArgument input = decoder.lengthInput)
      replaced.push_back(
          text(inputName(input) + ": the row's past + its tokens - 1"));
    for (BlockArgument input : decoder.positions)
      replaced.push_back(text(inputName(input) + ": " + positionMeaning));
    // Where an earlier pass counted, the input that it counted for says it.
    bool isKnown = llvm::any_of(meanings, [](const auto &entry) {
      return entry.second == positionMeaning;
    });
    if (countsPositions && !isKnown)
      replaced.push_back(text(Twine("counted positions: ") + positionMeaning));
    for (auto [i, cache] : llvm::enumerate(decoder.caches)) {
      // Further views hold what the first one holds.
      for (const auto &[keys, values] : ArrayRef(cache.views).drop_front())
        for (const CacheView &view : {keys, values})
          replaced.push_back(text(
              inputName(decoder.tensors[view.tensor].past) + ": what '" +
              inputName(decoder.tensors[cache.views[0].first.tensor].past) +
              "' and its values hold"));
      func.setArgAttr(firstCache + i, cacheNamesAttrName,
                      namesOf(cache.views[0]));
    }
    for (auto [i, cache] : llvm::enumerate(decoder.boundCaches))
      func.setArgAttr(firstCache + decoder.caches.size() + i,
                      cacheNamesAttrName, boundNames[i]);
    for (const std::string &name : constantNames)
      replaced.push_back(text(name + ": is not given, no token changes it"));
    for (const auto &[input, meaning] : meanings)
      replaced.push_back(text(inputName(input) + ": " + meaning));
    for (BlockArgument input : unusedInputs)
      replaced.push_back(text(inputName(input) + ": was not used"));
    NamedAttrList state;
    state.set("count", text(countInputName));
    state.set("logits", text(logitsName));
    state.set("max_positions", b.getI64IntegerAttr(decoder.maxPositions));
    state.set("past", text(pastInputName));
    state.set("replaced", b.getArrayAttr(replaced));
    state.set("tokens", text(inputName(decoder.tokens)));
    if (bound) {
      state.set("bound", text(boundInputName));
      state.set("bound_length",
                DimsAttr::get(b.getContext(), {decoder.boundLength}));
    }
    func->setAttr(stateAttrName, state.getDictionary(b.getContext()));
  }

  /// The model's names of what a bound cache holds; empty where it has none.
  DictionaryAttr namesOf(const BoundCache &cache) {
    Builder b(func.getContext());
    auto input = [&](Value value) {
      while (Operation *op = value.getDefiningOp()) {
        if (op->getNumOperands() == 0)
          break;
        value = op->getOperand(0);
      }
      auto argument = dyn_cast<BlockArgument>(value);
      return b.getStringAttr(argument ? inputName(argument) : "");
    };
    return b.getDictionaryAttr(
        {b.getNamedAttr("key_input", input(cache.keys)),
         b.getNamedAttr("key_output", b.getStringAttr("")),
         b.getNamedAttr("value_input", input(cache.values)),
         b.getNamedAttr("value_output", b.getStringAttr(""))});
  }

  DictionaryAttr namesOf(const std::pair<CacheView, CacheView> &view) {
    Builder b(func.getContext());
    const CacheTensor &keys = decoder.tensors[view.first.tensor];
    const CacheTensor &values = decoder.tensors[view.second.tensor];
    return b.getDictionaryAttr(
        {b.getNamedAttr("key_input", b.getStringAttr(inputName(keys.past))),
         b.getNamedAttr("key_output", b.getStringAttr(outputNames[keys.past])),
         b.getNamedAttr("value_input", b.getStringAttr(inputName(values.past))),
         b.getNamedAttr("value_output",
                        b.getStringAttr(outputNames[values.past]))});
  }

  void removeReplaced() {
    llvm::BitVector gone(func.getNumArguments());
    for (unsigned i = 0; i < numOld; ++i)
      if (func.getArgument(i) != decoder.tokens)
        gone.set(i);
    (void)func.eraseArguments(gone);
    auto module = func->getParentOfType<ModuleOp>();
    // Dims of what is gone mean nothing any more.
    llvm::StringSet<> used;
    AttrTypeWalker walker;
    walker.addWalk([&](DimsAttr attr) {
      for (const DimExpr &dim : attr.getDims())
        dim.collectSymbols(used);
    });
    module.walk([&](Operation *op) { walker.walk(op->getAttrDictionary()); });
    for (auto dim : llvm::make_early_inc_range(module.getOps<DimOp>()))
      if (!used.contains(dim.getSymName()))
        dim.erase();
  }

public:
  /// Notes what is gone once the function is rewritten.
  void noteNames() {
    for (const CacheTensor &tensor : decoder.tensors)
      outputNames[tensor.past] = outputName(func, tensor.results.front());
    for (BlockArgument input : func.getArguments())
      if (auto meaning = func.getArgAttrOfType<StringAttr>(input.getArgNumber(),
                                                           meaningAttrName))
        meanings.push_back({input, meaning.str()});
      else if (input.use_empty() && input != decoder.tokens)
        unusedInputs.push_back(input);
    for (unsigned result : decoder.constantResults)
      constantNames.push_back(outputName(func, result));
    for (const BoundCache &cache : decoder.boundCaches)
      boundNames.push_back(namesOf(cache));
  }

private:
  func::FuncOp func;
  Block &body;
  Decoder decoder;
  Type kvType;
  bool lastToken;
  llvm::DenseMap<Value, std::string> outputNames;
  SmallVector<BlockArgument> unusedInputs;
  SmallVector<std::pair<BlockArgument, std::string>> meanings;
  SmallVector<std::string> constantNames;
  SmallVector<DictionaryAttr> boundNames;
  std::string logitsName;
  unsigned numOld = 0, firstCache = 0;
  bool countsPositions = false;
  Value past, count, bound, positions;
};

struct CacheToStatePass : ingot::impl::CacheToStateBase<CacheToStatePass> {
  using CacheToStateBase::CacheToStateBase;

  void runOnOperation() override {
    Type type;
    if (kvType == "f32")
      type = Float32Type::get(&getContext());
    else if (kvType == "f16")
      type = Float16Type::get(&getContext());
    else if (!kvType.empty()) {
      getOperation().emitError("a cache holds f32 or f16, not '")
          << kvType << "'";
      return signalPassFailure();
    }
    SmallVector<func::FuncOp> funcs;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (func.isExternal() || !func.isPublic())
        continue;
      funcs.push_back(func);
    }
    for (func::FuncOp func : funcs) {
      // What is refused is refused before there are two of it.
      ShapeAnalysis shapes;
      FailureOr<Decoder> decoder = findDecoder(func, shapes);
      if (failed(decoder))
        return signalPassFailure();
      if (!decoder->boundCaches.empty())
        addBindEntry(func, *decoder, StateBuilder::cacheTypes(*decoder, type));
      func::FuncOp all;
      // Of one token the logits are those of the last one.
      if (allEntry && decoder->seq.getSymbol()) {
        all = func.clone();
        all.setName(allEntryName);
        SymbolTable(getOperation()).insert(all);
      }
      if (failed(rewrite(func, std::move(*decoder), type, lastToken)))
        return signalPassFailure();
      if (!all)
        continue;
      ShapeAnalysis shapesOfAll;
      decoder = findDecoder(all, shapesOfAll);
      if (failed(decoder) || failed(rewrite(all, std::move(*decoder), type,
                                            /*lastToken=*/false)))
        return signalPassFailure();
    }
  }

  static LogicalResult rewrite(func::FuncOp func, Decoder decoder, Type kvType,
                               bool lastToken) {
    StateBuilder builder(func, std::move(decoder), kvType, lastToken);
    builder.noteNames();
    return builder.run();
  }
};

} // namespace
