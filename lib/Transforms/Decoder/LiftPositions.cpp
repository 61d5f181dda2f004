//===- LiftPositions.cpp - positions that a decoder computes itself -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A decoder without an input for positions counts them from the length of the
// past, once for all rows: a vector past + (0, 1, ...). With pasts of different
// lengths every row needs positions of its own, and so does what is computed
// from them, until it meets a tensor that has rows anyway.
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/MaskAnalysis.h"
#include "lib/Transforms/Recognition/Matchers.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace ingot;

namespace {

class PositionLifter {
public:
  PositionLifter(func::FuncOp func, const Decoder &decoder, Value past,
                 function_ref<Value()> positions)
      : body(func.getBody().front()), decoder(decoder), past(past),
        positions(positions) {}

  SmallVector<Value> run() {
    SmallVector<Operation *> ops;
    for (Operation &op : body)
      ops.push_back(&op);
    for (Operation *op : ops) {
      if (op->getNumResults() != 1 ||
          !isa<RankedTensorType>(op->getResult(0).getType()))
        continue;
      if (isPositions(op->getResult(0)) || isRowPositions(op))
        begin(op->getResult(0));
      else if (isPartOfTable(op))
        beginWithTable(cast<SliceOp>(op));
      else if (llvm::any_of(op->getOperands(),
                            [&](Value v) { return lifted.contains(v); }))
        lift(op);
    }
    for (Operation *op : probes)
      op->erase();
    return roots;
  }

private:
  /// Whether `value` has the dims rows x seq, or the one dim seq besides dims
  /// of one, and its element s is past + s.
  bool isPositions(Value value) {
    const DimShape shape = shapes.shapeOf(value);
    bool isOne = decoder.seq.isConstant();
    bool ofOneRow = (isOne || llvm::count(shape, decoder.seq) == 1) &&
                    llvm::all_of(shape, [&](const DimExpr &dim) {
                      return dim == decoder.seq || dim.isConstant(1);
                    });
    if (!isa<IntegerType>(elementTypeOf(value)) || shape.empty() ||
        (!ofOneRow && !isOfRows(shape)))
      return false;
    return counts(value, decoder.past);
  }

  bool isOfRows(const DimShape &shape) const {
    return shape == DimShape{decoder.rows, decoder.seq};
  }

  /// Whether element s of a vector, with dims of one besides or for each row,
  /// is start + s.
  bool counts(Value value, const DimExpr &start) {
    bool ofRows = isOfRows(shapes.shapeOf(value));
    if (!ofRows && product(shapes.shapeOf(value)) != decoder.seq)
      return false;
    // As the queries of a mask.
    DimExpr one = DimExpr::constant(1);
    MaskAnalysis analysis(
        shapes, {decoder.rows, one, decoder.seq, decoder.past + decoder.seq});
    OpBuilder b(value.getContext());
    b.setInsertionPointAfterValue(value);
    Value placed = buildReshape(
        b, value.getLoc(), value,
        {ofRows ? decoder.rows : one, one, decoder.seq, one}, shapes);
    std::optional<MaskElement> element = analysis.elementAtPosition(placed);
    if (placed != value)
      probes.push_back(placed.getDefiningOp());
    return element && element->kind == MaskElement::Kind::Integer &&
           (element->number ==
                start + DimExpr::symbol(nameOf(MaskAxis::Query)) ||
            (decoder.seq.isConstant() && element->number == start));
  }

  /// Whether `op` takes the rows of a table that the positions would choose.
  bool isPartOfTable(Operation *op) {
    auto slice = dyn_cast<SliceOp>(op);
    if (!slice || !weights.isWeight(slice.getX()))
      return false;
    const DimShape table = shapes.shapeOf(slice.getX()),
                   starts = slice.getStarts().getDims(),
                   sizes = slice.getSizes().getDims();
    return table.size() == 2 && starts[0] == decoder.past &&
           starts[1].isConstant(0) && sizes[0] == decoder.seq &&
           sizes[1] == table[1] &&
           llvm::all_of(slice.getSteps(),
                        [](int64_t step) { return step == 1; });
  }

  void beginWithTable(SliceOp slice) {
    Value given = positions();
    Value old = slice->getResult(0);
    OpBuilder b(old.getContext());
    b.setInsertionPointAfterValue(
        given.getDefiningOp()->isBeforeInBlock(slice) ? old : given);
    Value chosen = EmbeddingOp::create(b, old.getLoc(), slice.getX(), given);
    lifted[old] = buildReshape(b, old.getLoc(), chosen,
                               withRows(shapes.shapeOf(old)), shapes);
    roots.push_back(lifted[old]);
  }

  /// Whether `op` adds the token's number to the row's past.
  bool isRowPositions(Operation *op) {
    if (!isa<AddOp>(op) ||
        shapes.shapeOf(op->getResult(0)) != DimShape{decoder.rows, decoder.seq})
      return false;
    auto isPast = [&](Value value) {
      while (auto reshape = value.getDefiningOp<ReshapeOp>())
        value = reshape.getX();
      return value == past;
    };
    DimExpr zero;
    return (isPast(op->getOperand(0)) && counts(op->getOperand(1), zero)) ||
           (isPast(op->getOperand(1)) && counts(op->getOperand(0), zero));
  }

  /// The dims with rows in front: instead of a one, or as a further dim.
  DimShape withRows(const DimShape &dims) {
    DimShape result = {decoder.rows};
    result.append(dims.begin() + (takesPlace(dims) ? 1 : 0), dims.end());
    return result;
  }
  static bool takesPlace(const DimShape &dims) {
    return !dims.empty() && dims[0].isConstant(1);
  }

  void begin(Value value) {
    Value given = positions();
    if (shapes.shapeOf(value) == DimShape{decoder.rows, decoder.seq}) {
      value.replaceUsesWithIf(given, [&](OpOperand &use) {
        return !given.getDefiningOp()->isAncestor(use.getOwner()) &&
               given.getDefiningOp()->isBeforeInBlock(use.getOwner());
      });
      roots.push_back(given);
      return;
    }
    OpBuilder b(value.getContext());
    b.setInsertionPointAfterValue(
        given.getDefiningOp()->isBeforeInBlock(value.getDefiningOp()) ? value
                                                                      : given);
    Value x = given;
    if (elementTypeOf(x) != elementTypeOf(value))
      x = CastOp::create(b, value.getLoc(), x, elementTypeOf(value));
    lifted[value] = buildReshape(b, value.getLoc(), x,
                                 withRows(shapes.shapeOf(value)), shapes);
    roots.push_back(lifted[value]);
  }

  /// A lifted operand of an op that broadcasts to `rank` dims, rows first.
  Value aligned(OpBuilder &b, Value operand, size_t rank) {
    auto found = lifted.find(operand);
    if (found == lifted.end())
      return operand;
    DimShape dims = shapes.shapeOf(found->second);
    if (dims.size() < rank)
      dims.insert(dims.begin() + 1, rank - dims.size(), DimExpr::constant(1));
    return buildReshape(b, operand.getLoc(), found->second, dims, shapes);
  }

  /// Makes the same op for rows of positions, if that is possible; what stays
  /// as it is keeps the length of the past, and is refused if it matters.
  void lift(Operation *op) {
    const DimShape old = shapes.shapeOf(op->getResult(0));
    // A result that has rows already takes in what differs between them.
    bool absorbs = !old.empty() && old[0] == decoder.rows;
    DimShape dims = absorbs ? old : withRows(old);
    bool shifted = dims.size() > old.size();
    OpBuilder b(op);
    SmallVector<Value> operands(op->getOperands());
    SmallVector<NamedAttribute> attrs;
    auto setDims = [&](StringRef name, ArrayRef<DimExpr> value) {
      attrs.push_back(
          b.getNamedAttr(name, DimsAttr::get(b.getContext(), value)));
    };
    bool known = true;
    if (op->hasTrait<Elementwise>() || isa<BroadcastToOp, RopeOp>(op)) {
      for (Value &operand : operands)
        operand = aligned(b, operand, dims.size());
      if (isa<BroadcastToOp>(op))
        setDims("to", dims);
    } else if (absorbs) {
      known = false;
    } else {
      for (Value &operand : operands)
        if (Value other = lifted.lookup(operand))
          operand = other;
      known =
          llvm::TypeSwitch<Operation *, bool>(op)
              .Case([&](ReshapeOp) {
                setDims("to", dims);
                return true;
              })
              .Case([&](TransposeOp transpose) {
                SmallVector<int64_t> order(transpose.getPermutation());
                if (shifted) {
                  for (int64_t &dim : order)
                    ++dim;
                  order.insert(order.begin(), 0);
                }
                attrs.push_back(b.getNamedAttr("permutation",
                                               b.getDenseI64ArrayAttr(order)));
                return order[0] == 0;
              })
              .Case([&](SliceOp slice) {
                DimShape starts = slice.getStarts().getDims();
                SmallVector<int64_t> steps(slice.getSteps());
                if (shifted) {
                  starts.insert(starts.begin(), DimExpr());
                  steps.insert(steps.begin(), 1);
                }
                setDims("starts", starts);
                setDims("sizes", dims);
                attrs.push_back(
                    b.getNamedAttr("steps", b.getDenseI64ArrayAttr(steps)));
                // One position stands for all rows: none may be left out.
                return starts[0].isConstant(0) && steps[0] == 1;
              })
              .Case([&](ConcatOp concat) {
                int64_t axis = concat.getAxis() + (shifted ? 1 : 0);
                attrs.push_back(
                    b.getNamedAttr("axis", b.getI64IntegerAttr(axis)));
                return axis != 0 &&
                       llvm::all_of(op->getOperands(), [&](Value v) {
                         return lifted.contains(v);
                       });
              })
              .Case([&](EmbeddingOp embedding) {
                return !lifted.contains(embedding.getTable());
              })
              .Case([&](GatherOp gather) {
                return gather.getAxis() == 0 && !lifted.contains(gather.getX());
              })
              .Default([](Operation *) { return false; });
    }
    if (!known)
      return;
    Operation *copy = b.clone(*op);
    copy->setOperands(operands);
    for (NamedAttribute attr : attrs)
      copy->setAttr(attr.getName(), attr.getValue());
    Value result = copy->getResult(0);
    result.setType(tensorOf(dims, elementTypeOf(op->getResult(0))));
    if (absorbs)
      op->getResult(0).replaceAllUsesWith(result);
    else
      lifted[op->getResult(0)] = result;
  }

  Block &body;
  const Decoder &decoder;
  Value past;
  function_ref<Value()> positions;
  ShapeAnalysis shapes;
  WeightAnalysis weights;
  llvm::DenseMap<Value, Value> lifted;
  SmallVector<Value> roots;
  /// Ops that only ask; what `shapes` knows must stay while it is asked.
  SmallVector<Operation *> probes;
};

} // namespace

SmallVector<Value> ingot::liftPositions(func::FuncOp func,
                                        const Decoder &decoder, Value past,
                                        function_ref<Value()> positions) {
  return PositionLifter(func, decoder, past, positions).run();
}
