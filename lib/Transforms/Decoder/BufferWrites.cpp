//===- BufferWrites.cpp - caches of fixed extent --------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters spell "these positions of the buffer are the new ones" by scatters
// with one index for each position, each head or each element, on the buffer
// or on a view of it. Which position an index means is found by computing it
// symbolically.
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Decoder/BufferWrites.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/MaskAnalysis.h"
#include "lib/Transforms/Recognition/Matchers.h"

using namespace mlir;
using namespace ingot;
using Index = SmallVector<DimExpr>;

namespace {

constexpr llvm::StringLiteral notUnderstood =
    "is written at positions that are no input with one for each new token";

class WriteFinder {
public:
  WriteFinder(func::FuncOp func, ShapeAnalysis &shapes)
      : body(func.getBody().front()), shapes(shapes) {}

  SmallVector<BufferWrite> run() {
    SmallVector<BufferWrite> found;
    for (Operation &op : body) {
      if (!isa<ScatterNdOp, ScatterElementsOp, WriteRowsOp>(op))
        continue;
      BufferWrite write;
      write.op = &op;
      if (!findBuffer(write) || !findResults(write))
        continue;
      bool isOurs =
          llvm::TypeSwitch<Operation *, bool>(&op)
              .Case([&](ScatterNdOp nd) { return find(nd, write); })
              .Case([&](ScatterElementsOp elements) {
                return find(elements, write);
              })
              .Case([&](WriteRowsOp rows) { return find(rows, write); });
      if (isOurs)
        found.push_back(std::move(write));
    }
    return found;
  }

private:
  /// The input behind what the op writes to.
  bool findBuffer(BufferWrite &write) {
    write.view = {0, 1, 2, 3};
    Value x = stripTensorCasts(write.op->getOperand(0));
    while (auto transpose = x.getDefiningOp<TransposeOp>()) {
      if (transpose.getPermutation().size() != write.view.size())
        return false;
      for (int64_t &dim : write.view)
        dim = transpose.getPermutation()[dim];
      x = stripTensorCasts(transpose.getX());
    }
    auto type = dyn_cast<RankedTensorType>(x.getType());
    write.buffer = dyn_cast<BlockArgument>(x);
    return write.buffer && write.buffer.getOwner() == &body &&
           type.getRank() == 4 && isa<FloatType>(type.getElementType());
  }

  /// The outputs behind what the op gives.
  bool findResults(BufferWrite &write) {
    Operation *ret = body.getTerminator();
    for (auto [i, value] : llvm::enumerate(ret->getOperands())) {
      SmallVector<int64_t> order = {0, 1, 2, 3};
      Value x = stripTensorCasts(value);
      for (; auto transpose = x.getDefiningOp<TransposeOp>();
           x = stripTensorCasts(transpose.getX())) {
        if (transpose.getPermutation().size() != order.size())
          break;
        for (int64_t &dim : order)
          dim = transpose.getPermutation()[dim];
      }
      if (x != write.op->getResult(0))
        continue;
      bool isBuffer = llvm::all_of(llvm::enumerate(order), [&](const auto &to) {
        return write.view[to.value()] == static_cast<int64_t>(to.index());
      });
      if (isBuffer)
        write.results.push_back(i);
    }
    return !write.results.empty();
  }

  /// Notes the dim of what the op writes to along which positions lie.
  static bool setAxis(BufferWrite &write, int64_t axis) {
    write.axis = write.view[axis];
    if (write.axis == 0)
      write.problem = notUnderstood;
    return write.axis != 0;
  }

  /// The input of integers that an index is an element of: for the new token
  /// `place`, and the row that an index has if it has one.
  BlockArgument placesOf(const BufferWrite &write, const MaskElement &at,
                         const DimExpr &place, const DimExpr &tokens,
                         const std::optional<DimExpr> &row) {
    auto input = at.kind == MaskElement::Kind::Load && at.tensor
                     ? dyn_cast<BlockArgument>(at.tensor)
                     : nullptr;
    if (!input || !isa<IntegerType>(elementTypeOf(input)))
      return {};
    DimExpr rows = shapes.shapeOf(write.buffer)[0];
    unsigned ofTokens = 0, ofRows = 0;
    for (auto [dim, index] : llvm::zip_equal(shapes.shapeOf(input), at.index)) {
      if (dim == tokens && index == place)
        ++ofTokens;
      else if (row && dim == rows && index == *row)
        ++ofRows;
      else if (!(dim.isConstant(1) && index.isConstant(0)))
        return {};
    }
    // Several tokens have a position each, unless the first one's will do.
    bool needsEach = !tokens.isConstant(1) && place != DimExpr();
    if (ofRows > 1 || ofTokens > 1 || (needsEach && ofTokens == 0))
      return {};
    return input;
  }

  /// Position i as an index.
  static DimExpr number(unsigned i) {
    return DimExpr::symbol(nameOf(static_cast<MaskAxis>(i)));
  }

  bool find(ScatterNdOp op, BufferWrite &write) {
    write.problem = notUnderstood;
    const DimShape indices = shapes.shapeOf(op.getIndices()),
                   x = shapes.shapeOf(op.getX());
    size_t leading = indices.size() - 1;
    std::optional<int64_t> count = indices.back().getConstant();
    // Each indexed dim has a dim of the indices to itself.
    if (op.getReduction() != ScatterKind::None || !count ||
        static_cast<size_t>(*count) != leading || leading > 3)
      return true;
    Index extents(indices.begin(), indices.begin() + leading), at;
    extents.resize(4, DimExpr::constant(1));
    for (unsigned i = 0; i < leading; ++i)
      at.push_back(number(i));
    at.emplace_back();
    MaskAnalysis analysis(shapes, extents);
    // Which dim of the indices, and of the updates, a dim of x is.
    SmallVector<int64_t> from(leading, -1);
    auto take = [&](size_t dim, size_t i) {
      if (llvm::is_contained(from, static_cast<int64_t>(i)))
        return false;
      from[dim] = static_cast<int64_t>(i);
      return true;
    };
    int64_t axis = -1;
    MaskElement places;
    SmallVector<size_t> units;
    for (size_t dim = 0; dim < leading; ++dim) {
      at.back() = DimExpr::constant(static_cast<int64_t>(dim));
      MaskElement element = analysis.elementAt(op.getIndices(), at);
      if (element.kind != MaskElement::Kind::Integer) {
        if (axis >= 0)
          return true;
        axis = static_cast<int64_t>(dim);
        places = element;
        continue;
      }
      bool taken = false;
      for (size_t i = 0; i < leading && !taken; ++i)
        taken =
            element.number == number(i) && indices[i] == x[dim] && take(dim, i);
      if (!taken && x[dim].isConstant(1) && element.number.isConstant(0))
        units.push_back(dim);
      else if (!taken)
        return true;
    }
    // What is left goes to dims of one and to the positions.
    for (size_t i = 0; i < leading; ++i) {
      if (llvm::is_contained(from, static_cast<int64_t>(i)))
        continue;
      if (!units.empty() && indices[i].isConstant(1))
        from[units.pop_back_val()] = static_cast<int64_t>(i);
      else if (axis >= 0 && from[axis] < 0)
        from[axis] = static_cast<int64_t>(i);
      else
        return true;
    }
    if (axis < 0 || !units.empty() || from[axis] < 0 || !setAxis(write, axis))
      return true;
    std::optional<DimExpr> row;
    for (size_t dim = 0; dim < leading; ++dim)
      if (write.view[dim] == 0)
        row = number(from[dim]);
    write.places =
        placesOf(write, places, number(from[axis]), indices[from[axis]], row);
    for (size_t dim = leading; dim < x.size(); ++dim)
      from.push_back(static_cast<int64_t>(dim));
    OpBuilder b(op);
    write.added = buildTranspose(b, op.getLoc(), op.getUpdates(), from);
    return true;
  }

  bool find(ScatterElementsOp op, BufferWrite &write) {
    write.problem = notUnderstood;
    auto axis = static_cast<int64_t>(op.getAxis());
    const DimShape indices = shapes.shapeOf(op.getIndices()),
                   updates = shapes.shapeOf(op.getUpdates()),
                   x = shapes.shapeOf(op.getX());
    if (op.getReduction() != ScatterKind::None || indices != updates)
      return true;
    Index at;
    std::optional<DimExpr> row;
    for (unsigned dim = 0; dim < 4; ++dim) {
      if (static_cast<int64_t>(dim) != axis && updates[dim] != x[dim])
        return true;
      at.push_back(number(dim));
      if (write.view[dim] == 0)
        row = number(dim);
    }
    MaskAnalysis analysis(shapes, indices);
    MaskElement places = analysis.elementAt(op.getIndices(), at);
    if (!setAxis(write, axis))
      return true;
    write.places = placesOf(write, places, number(static_cast<unsigned>(axis)),
                            indices[axis], row);
    write.added = op.getUpdates();
    return true;
  }

  bool find(WriteRowsOp op, BufferWrite &write) {
    if (op.getCircular())
      write.problem = "is written from its beginning on once it is full (mode "
                      "circular), which leaves no order of positions";
    DimExpr rows = shapes.shapeOf(write.buffer)[0], one = DimExpr::constant(1);
    MaskAnalysis analysis(shapes, {rows, one, one, one});
    MaskElement first = analysis.elementAt(op.getAt(), {number(0)});
    auto axis = static_cast<int64_t>(op.getAxis());
    // The first of the new tokens' positions, or a number for each row.
    write.places = placesOf(write, first, DimExpr(),
                            shapes.shapeOf(op.getUpdate())[axis], number(0));
    if (!op.getCircular() && (!write.places || write.view[0] != 0))
      return false;
    if (op.getCircular())
      write.places = {};
    write.added = op.getUpdate();
    (void)setAxis(write, axis);
    return true;
  }

  Block &body;
  ShapeAnalysis &shapes;
};

} // namespace

SmallVector<BufferWrite> ingot::findBufferWrites(func::FuncOp func,
                                                 ShapeAnalysis &shapes) {
  return WriteFinder(func, shapes).run();
}
