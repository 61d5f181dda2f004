//===- FindDecoder.cpp - what a decoder's inputs and outputs mean ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Decoder/InputRoles.h"
#include "lib/Transforms/Decoder/RelativeBias.h"
#include "lib/Transforms/Recognition/MaskForm.h"
#include "lib/Transforms/Recognition/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace ingot;

namespace {

/// Looks for the parts of a decoder, and collects what is in the way.
class DecoderFinder {
public:
  DecoderFinder(func::FuncOp func, ShapeAnalysis &shapes)
      : func(func), shapes(shapes) {}

  FailureOr<Decoder> run() {
    decoder.tensors = findCacheTensors(func);
    if (decoder.tensors.empty()) {
      refuse(func) << "no cache was found: no output is an input of four dims "
                      "with something appended";
      return failure();
    }
    checkDims();
    func.walk([&](AttentionOp op) { findCache(op); });
    checkTensors();
    noteBoundInputs();
    findLogits();
    if (succeeded(result))
      result = assignInputRoles(func, shapes, decoder);
    for (Operation *op : probes)
      op->erase();
    if (failed(result))
      return failure();
    return std::move(decoder);
  }

private:
  InFlightDiagnostic refuse(Operation *op) {
    result = failure();
    return op->emitError("the cache cannot become state: ");
  }

  /// Pasts have one length, new tokens another, in the same batch.
  void checkDims() {
    const CacheTensor &first = decoder.tensors.front();
    const DimShape added = shapes.shapeOf(first.added);
    decoder.rows = added[0];
    decoder.seq = added[first.axis];
    decoder.past = shapes.shapeOf(first.past)[first.axis];
    if (!decoder.past.getSymbol() || decoder.past == decoder.seq ||
        !(decoder.seq.getSymbol() || decoder.seq.isConstant(1)))
      refuse(first.extension)
          << "input '" << inputName(first.past)
          << "' and what is appended to it need lengths of "
             "their own, not "
          << decoder.past.str() << " and " << decoder.seq.str();
    decoder.lengths = first.lengths;
    if (decoder.lengths && !traceLengths(decoder.lengths, shapes, decoder))
      refuse(first.extension)
          << "how many positions of input '" << inputName(first.past)
          << "' each row has is neither counted by a mask nor an input of last "
             "positions";
    for (const CacheTensor &tensor : decoder.tensors) {
      if (tensor.lengths != decoder.lengths)
        refuse(tensor.extension)
            << "input '" << inputName(tensor.past)
            << "' is extended at other positions than the others";
      const DimShape old = shapes.shapeOf(tensor.past);
      const DimShape more = shapes.shapeOf(tensor.added);
      if (old[0] != decoder.rows || more[0] != decoder.rows ||
          old[tensor.axis] != decoder.past || more[tensor.axis] != decoder.seq)
        refuse(tensor.extension)
            << "input '" << inputName(tensor.past) << "' has a batch of "
            << old[0].str() << " and " << old[tensor.axis].str()
            << " positions, to which " << more[tensor.axis].str()
            << " are appended; other inputs have " << decoder.rows.str() << ", "
            << decoder.past.str() << " and " << decoder.seq.str();
    }
  }

  /// Whether `op` only adds positions behind the last one of `axis`.
  static bool fillsUp(PadOp op, int64_t axis) {
    auto none = [&](ArrayRef<DimExpr> dims, int64_t besides) {
      return llvm::all_of(llvm::enumerate(dims), [&](const auto &dim) {
        return static_cast<int64_t>(dim.index()) == besides ||
               dim.value().isConstant(0);
      });
    };
    return op.getMode() == PadMode::Constant &&
           none(op.getLow().getDims(), -1) &&
           none(op.getHigh().getDims(), axis);
  }

  /// The extended tensor that `value`, batch x positions x heads x depth, is,
  /// or begins with.
  std::optional<CacheView> viewOf(Value value) {
    CacheView view;
    view.permutation = {0, 1, 2, 3};
    for (value = stripTensorCasts(value);; value = stripTensorCasts(value)) {
      auto transpose = value.getDefiningOp<TransposeOp>();
      if (!transpose)
        break;
      for (int64_t &dim : view.permutation)
        dim = transpose.getPermutation()[dim];
      value = transpose.getX();
    }
    auto pad = value.getDefiningOp<PadOp>();
    if (pad)
      value = stripTensorCasts(pad.getX());
    for (auto [i, tensor] : llvm::enumerate(decoder.tensors)) {
      if (tensor.extension->getResult(0) != value)
        continue;
      if (pad && !fillsUp(pad, tensor.axis))
        return std::nullopt;
      view.isFilledUp = pad != nullptr;
      if (view.permutation[0] != 0 || view.permutation[1] != tensor.axis)
        return std::nullopt;
      view.tensor = i;
      return view;
    }
    return std::nullopt;
  }

  /// Notes which cache an attention reads, and how.
  void findCache(AttentionOp op) {
    std::optional<CacheView> keys = viewOf(op.getK()),
                             values = viewOf(op.getV());
    if (!keys && !values && isBound(op))
      return findBoundCache(op);
    if (!keys || !values) {
      refuse(op) << "attention reads " << (keys ? "values" : "keys")
                 << " that are not kept: they are no input with the new ones "
                    "appended";
      return;
    }
    DecoderAttention attention;
    if (!isCausal(op, keys->isFilledUp, attention))
      return;
    int64_t window = attention.window;
    used.insert(keys->tensor);
    used.insert(values->tensor);
    unsigned index = cacheOf(*keys, *values);
    DecoderCache &cache = decoder.caches[index];
    cache.readers.push_back(op);
    if (window == 0 || cache.window == 0)
      cache.window = cache.readers.size() == 1 ? window : 0;
    else
      cache.window = std::max(cache.window, window);
    attention.cache = index;
    decoder.attentions[op] = std::move(attention);
  }

  /// Whether an attention reads the same keys and values for all tokens.
  bool isBound(AttentionOp op) {
    llvm::SmallDenseSet<Value> inputs;
    if (dependsOnTokens(op.getK(), shapes, decoder, inputs) ||
        dependsOnTokens(op.getV(), shapes, decoder, inputs) || inputs.empty())
      return false;
    boundInputs.insert(inputs.begin(), inputs.end());
    return true;
  }

  /// Notes keys and values that are computed once, and who reads them.
  void findBoundCache(AttentionOp op) {
    const DimShape q = shapes.shapeOf(op.getQ()), k = shapes.shapeOf(op.getK()),
                   v = shapes.shapeOf(op.getV());
    if (k[0] != decoder.rows || !(k[1].getSymbol() || k[1].isConstant()) ||
        !k[2].isConstant() || !k[3].isConstant() || !v[3].isConstant()) {
      refuse(op) << "attention reads keys of " << k[1].str()
                 << " positions for each of " << k[0].str() << " rows, with "
                 << k[2].str() << " heads of depth " << k[3].str()
                 << ", which do not come from inputs of these dims";
      return;
    }
    if (decoder.boundCaches.empty())
      decoder.boundLength = k[1];
    if (decoder.boundLength != k[1]) {
      refuse(op) << "attention reads keys of " << k[1].str()
                 << " positions that do not change, another one of "
                 << decoder.boundLength.str();
      return;
    }
    AttentionExtents extents = {decoder.rows, q[2], decoder.seq, k[1]};
    std::optional<Visibility> seen = visibilityOf(op, extents);
    if (!seen)
      return;
    if (seen->causal || seen->bias || op.getPast()) {
      refuse(op) << "attention to what does not change "
                 << (seen->bias ? "adds a bias that is not a mask"
                                : "depends on positions");
      return;
    }
    if (!noteMasks(op, seen->hiding))
      return;
    auto *known = llvm::find_if(decoder.boundCaches, [&](BoundCache &cache) {
      return cache.keys == op.getK() && cache.values == op.getV();
    });
    if (known == decoder.boundCaches.end())
      decoder.boundCaches.push_back({op.getK(), op.getV(), {op}});
    else
      known->readers.push_back(op);
  }

  /// Lists the inputs of bound caches; one of them says how long they are.
  void noteBoundInputs() {
    if (failed(result) || decoder.boundCaches.empty())
      return;
    bool isKnown = decoder.boundLength.isConstant();
    for (BlockArgument input : func.getArguments()) {
      if (!boundInputs.contains(input))
        continue;
      decoder.boundInputs.push_back(input);
      isKnown |= llvm::is_contained(shapes.shapeOf(input), decoder.boundLength);
    }
    if (!isKnown)
      refuse(func) << "attention reads " << decoder.boundLength.str()
                   << " positions that do not change, which is no dim of an "
                      "input that they are computed from";
  }

  /// The cache of these keys and values. Two pasts to which the same is
  /// appended are equal, since state begins empty: one cache serves both.
  unsigned cacheOf(const CacheView &keys, const CacheView &values) {
    auto appended = [&](const CacheView &view) {
      return std::make_pair(decoder.tensors[view.tensor].added,
                            view.permutation);
    };
    for (auto [i, cache] : llvm::enumerate(decoder.caches)) {
      auto &[k, v] = cache.views.front();
      if (appended(k) != appended(keys) || appended(v) != appended(values))
        continue;
      if (!llvm::is_contained(cache.views, std::make_pair(keys, values)))
        cache.views.push_back({keys, values});
      return i;
    }
    decoder.caches.emplace_back();
    decoder.caches.back().views.push_back({keys, values});
    return decoder.caches.size() - 1;
  }

  /// What an attention's attributes, masks and biases say together.
  struct Visibility {
    bool causal = false;
    /// key <= query + offset, and how many keys up to there, 0 for all.
    DimExpr offset;
    int64_t window = 0;
    /// What masks let through.
    MaskPredicate hiding;
    /// What is left to be added to scores.
    Value bias;
  };

  /// Takes a sum apart into what hides keys and one other addend; the whole sum
  /// is that if there are several.
  static AdditiveMask splitSum(Value sum, MaskAnalysis &analysis,
                               AttentionOp op) {
    AdditiveMask result;
    SmallVector<Value> addends = {sum}, biases;
    while (!addends.empty()) {
      Value addend = addends.pop_back_val();
      if (auto add = addend.getDefiningOp<AddOp>()) {
        addends.append({add.getB(), add.getA()});
        continue;
      }
      AdditiveMask split = splitMask(addend, analysis);
      bool hides = split.visible.isTrue() ||
                   hidesUnlikely(split.fill, elementTypeOf(op.getQ()));
      if (hides)
        result.visible.add(split.visible);
      if (split.bias || !hides)
        biases.push_back(hides ? split.bias : addend);
    }
    if (biases.size() == 1)
      result.bias = biases.front();
    return biases.size() > 1 ? AdditiveMask{{}, 0.0, sum} : result;
  }

  /// Takes masks apart; nothing, with the reasons reported, where they are not
  /// understood.
  std::optional<Visibility> visibilityOf(AttentionOp op,
                                         const AttentionExtents &extents) {
    const DimShape q = shapes.shapeOf(op.getQ());
    if (q[0] != extents.batch || q[1] != extents.queries) {
      refuse(op) << "attention asks with " << q[1].str() << " queries for each "
                 << "of " << q[0].str() << " rows, not with every new token";
      return std::nullopt;
    }
    Visibility seen;
    seen.causal = op.getCausal();
    seen.offset = extents.keys - extents.queries;
    seen.window = op.getWindow();
    if (Value given = op.getQueryOffset())
      seen.offset = shapes.indexValue(given).value_or(DimExpr());
    MaskAnalysis analysis(
        shapes, {extents.batch, extents.heads, extents.queries, extents.keys});
    if (op.getBias()) {
      AdditiveMask split = splitSum(op.getBias(), analysis, op);
      std::optional<MaskForm> form = reduceMask(split.visible, extents, shapes);
      if (!form || (seen.causal && form->causal)) {
        refuse(op) << "attention adds a bias to its scores that is not a mask "
                      "of positions";
        return std::nullopt;
      }
      if (form->causal) {
        seen.causal = true;
        seen.offset = form->offset;
        seen.window = form->window;
      }
      for (const MaskAtom &atom : form->keyAtoms)
        seen.hiding.add(atom);
      seen.bias = split.bias;
    }
    if (Value mask = op.getKeyMask()) {
      OpBuilder b(op);
      DimExpr one = DimExpr::constant(1);
      Value placed =
          buildReshape(b, op.getLoc(), mask,
                       {extents.batch, one, one, extents.keys}, shapes);
      std::optional<MaskElement> element = analysis.elementAtPosition(placed);
      if (placed != mask)
        probes.push_back(placed.getDefiningOp());
      if (!element) {
        refuse(op) << "attention has a mask that does not fit its keys";
        return std::nullopt;
      }
      seen.hiding.add(MaskAnalysis::truthOf(*element));
    }
    return seen;
  }

  /// Whether the attention is causal when every mask lets everything through:
  /// how many positions it sees, 0 for all up to the query's own, and what it
  /// adds to scores. If not, the reasons are reported.
  bool isCausal(AttentionOp op, bool isFilledUp, DecoderAttention &attention) {
    if (op.getPast() != decoder.lengths) {
      refuse(op) << "attention does not begin where new keys are written";
      return false;
    }
    const DimShape q = shapes.shapeOf(op.getQ());
    AttentionExtents extents = {decoder.rows, q[2], decoder.seq,
                                decoder.past + decoder.seq};
    // Behind the last position nothing may be seen.
    if (isFilledUp)
      extents.keys = shapes.shapeOf(op.getK())[1];
    std::optional<Visibility> seen = visibilityOf(op, extents);
    if (!seen)
      return false;
    // One token at the end sees all keys as it is; a mask must hide those that
    // are not there.
    if (!seen->causal && decoder.seq.isConstant(1) && !decoder.lengths &&
        (!isFilledUp || !seen->hiding.isTrue())) {
      seen->causal = true;
      seen->offset = decoder.past;
    }
    // With lengths as data an offset would come on top of them.
    if (!seen->causal || seen->offset != decoder.past ||
        (decoder.lengths && op.getQueryOffset())) {
      refuse(op) << "attention is not causal from the end of the past on";
      return false;
    }
    attention.window = seen->window;
    if (seen->bias) {
      auto [known, isNew] = biases.try_emplace(
          {seen->bias, extents.heads.getConstant().value_or(0)});
      if (isNew)
        known->second =
            findRelativeBias(seen->bias, extents, decoder.past, shapes);
      attention.bias = known->second;
      if (!attention.bias) {
        refuse(op) << "attention adds a bias to its scores that is neither a "
                      "mask of positions nor chosen from a table by distance";
        return false;
      }
    }
    return noteMasks(op, seen->hiding);
  }

  /// Whether adding `fill` hides a key. Every row sees the key of its own
  /// token, so that in f16 the lowest number does, too: scores that differ by
  /// nearly as much overflow anyway.
  static bool hidesUnlikely(double fill, Type type) {
    constexpr double lowestHalf = -65504.0;
    return hidesKeys(fill, type) || (type.isF16() && fill <= lowestHalf);
  }

  /// Finds for every input that hides keys the number that hides none.
  bool noteMasks(AttentionOp op, const MaskPredicate &predicate) {
    if (predicate.isFalse) {
      refuse(op) << "attention hides every key";
      return false;
    }
    for (const MaskAtom &atom : predicate.atoms) {
      auto input = atom.tensor ? dyn_cast<BlockArgument>(atom.tensor) : nullptr;
      // True where the element is not zero or one, false where it is zero.
      std::optional<int64_t> visible;
      if (input && isa<IntegerType>(elementTypeOf(input))) {
        if (atom.value == 0.0)
          visible = atom.negated ? 1 : 0;
        else if (atom.value == 1.0)
          visible = atom.negated ? 0 : 1;
      }
      if (!visible) {
        auto diagnostic = refuse(op);
        diagnostic << "attention has a mask that is not understood";
        if (input)
          diagnostic << ": it comes from input '" << inputName(input) << "'";
        return false;
      }
      auto *known = llvm::find_if(
          decoder.masks, [&](auto &mask) { return mask.first == input; });
      if (known == decoder.masks.end()) {
        decoder.masks.push_back({input, *visible});
      } else if (known->second != *visible) {
        refuse(op) << "input '" << inputName(input)
                   << "' hides some keys by zeros, others by ones";
        return false;
      }
    }
    return true;
  }

  /// Every extended tensor is read by an attention.
  void checkTensors() {
    if (failed(result))
      return;
    for (auto [i, tensor] : llvm::enumerate(decoder.tensors))
      if (!used.contains(i))
        refuse(tensor.extension) << "input '" << inputName(tensor.past)
                                 << "' is extended, but no attention reads it";
  }

  /// The output that is no cache. What no token changes is no matter of
  /// generation.
  void findLogits() {
    llvm::SmallDenseSet<unsigned> caches;
    for (const CacheTensor &tensor : decoder.tensors)
      caches.insert(tensor.results.begin(), tensor.results.end());
    Operation *ret = func.getBody().front().getTerminator();
    SmallVector<std::string> others;
    for (unsigned i = 0; i < ret->getNumOperands(); ++i)
      if (!caches.contains(i)) {
        llvm::SmallDenseSet<Value> inputs;
        if (!dependsOnTokens(ret->getOperand(i), shapes, decoder, inputs)) {
          decoder.constantResults.push_back(i);
          continue;
        }
        decoder.logits = i;
        others.push_back("'" + outputName(func, i) + "'");
      }
    if (others.size() != 1) {
      refuse(func) << "one output for logits is needed besides caches, found "
                   << (others.empty() ? "none" : llvm::join(others, ", "));
      return;
    }
    Value logits = ret->getOperand(decoder.logits);
    const DimShape shape = shapes.shapeOf(logits);
    if (!isa<FloatType>(elementTypeOf(logits)) || shape.size() != 3 ||
        shape[0] != decoder.rows || shape[1] != decoder.seq ||
        !shape[2].isConstant())
      refuse(func) << "output " << others.front() << " must have the dims "
                   << decoder.rows.str() << ", " << decoder.seq.str()
                   << " and the vocabulary's size, and numbers with a fraction";
  }

  func::FuncOp func;
  ShapeAnalysis &shapes;
  Decoder decoder;
  llvm::SmallDenseSet<unsigned> used;
  llvm::SmallDenseSet<Value> boundInputs;
  /// What layers share, by what is added and to how many heads.
  llvm::DenseMap<std::pair<Value, int64_t>, std::optional<RelativeBias>> biases;
  /// Ops that only ask; what `shapes` knows must stay while it is asked.
  SmallVector<Operation *> probes;
  LogicalResult result = success();
};

} // namespace

FailureOr<Decoder> ingot::findDecoder(func::FuncOp func,
                                      ShapeAnalysis &shapes) {
  return DecoderFinder(func, shapes).run();
}
