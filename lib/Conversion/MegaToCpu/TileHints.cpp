//===- TileHints.cpp - the tiles that CPU kernels like --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/TileHints.h"

#include "dialects/Ingot/IR/IngotDialect.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Interfaces/TileHintInterface.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace ingot;

static int64_t dimOf(Value value, int64_t fromEnd) {
  ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
  return int64_t(shape.size()) < fromEnd ? -1 : shape[shape.size() - fromEnd];
}

/// Query heads that share the keys of one of `keyHeads`.
static int64_t sharing(int64_t heads, int64_t keyHeads) {
  return ShapedType::isDynamic(heads) ? 1
                                      : std::max<int64_t>(heads / keyHeads, 1);
}

static TileShape shapeOf(LinearOp op) {
  // Packed weights tell how many panels there are, the result the columns.
  auto weights = cast<ShapedType>(op.getW().getType());
  return {TileShape::Kind::Product, dimOf(op.getX(), 1), dimOf(op.getInit(), 1),
          weights.getElementTypeBitWidth(),
          cast<ShapedType>(op.getX().getType()).getElementTypeBitWidth()};
}

static TileShape shapeOf(MatmulOp op) {
  auto right = cast<ShapedType>(op.getB().getType());
  return {TileShape::Kind::Product, dimOf(op.getA(), 1), dimOf(op.getInit(), 1),
          right.getElementTypeBitWidth()};
}

static TileShape shapeOf(QuantizedLinearOp op) {
  int64_t blocks = cast<ShapedType>(op.getCodes().getType()).getDimSize(1);
  return {TileShape::Kind::Coded, blocks * int64_t(op.getBlock()),
          dimOf(op.getInit(), 1), int64_t(op.getWeightBits()),
          int64_t(op.getActivationBits())};
}

static TileShape shapeOf(AttentionOp op) {
  return {TileShape::Kind::Attention, dimOf(op.getQ(), 1), 1, 32};
}

static TileShape shapeOf(PagedAttentionOp op) {
  CacheType cache = op.getCache().getType();
  int64_t group = sharing(dimOf(op.getQ(), 2), cache.getHeads());
  return {TileShape::Kind::PagedAttention, int64_t(cache.getKeyDepth()), group,
          32};
}

std::optional<TileShape> ingot::tileShapeOf(Operation *op) {
  return TypeSwitch<Operation *, std::optional<TileShape>>(op)
      .Case<LinearOp, MatmulOp, QuantizedLinearOp, AttentionOp,
            PagedAttentionOp>([](auto known) { return shapeOf(known); })
      .Default(std::nullopt);
}

Tile ingot::tileOf(Operation *op, const TileShape &shape) {
  auto attr = op->getAttrOfType<DictionaryAttr>(tileAttrName);
  auto sizes = attr ? attr.getAs<DenseI64ArrayAttr>("sizes") : nullptr;
  if (sizes && sizes.size() == 3 && sizes[0] > 0)
    return {sizes[0], sizes[1], sizes[2]};
  return chooseTile(shape);
}

void ingot::setTile(Operation *op, const TileShape &shape, const Tile &tile) {
  Builder b(op->getContext());
  op->setAttr(tileAttrName,
              b.getDictionaryAttr(
                  {b.getNamedAttr("of", b.getStringAttr(shape.str())),
                   b.getNamedAttr(
                       "sizes", b.getDenseI64ArrayAttr(
                                    {tile.rows, tile.columns, tile.depth}))}));
}

namespace {

/// Units of tiles of a product: columns are whole packed panels of 16.
SmallVector<int64_t> panelUnits(unsigned rank) {
  SmallVector<int64_t> units(rank, 1);
  units.back() = 16;
  return units;
}

/// Products: rows x columns of the last two dims, outer dims one by one.
template <typename OpTy>
struct ProductHint : TileHintInterface::ExternalModel<ProductHint<OpTy>, OpTy> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    Value init = cast<DestinationStyleOpInterface>(op).getDpsInits()[0];
    SmallVector<int64_t> sizes(cast<ShapedType>(init.getType()).getRank(), 1);
    Tile tile = tileOf(op, shapeOf(cast<OpTy>(op)));
    // Whole panels, whatever the attribute says.
    sizes.back() = llvm::alignTo(std::max<int64_t>(tile.columns, 1), 16);
    if (sizes.size() > 1)
      sizes[sizes.size() - 2] = tile.rows;
    return sizes;
  }
  SmallVector<int64_t> getTileUnit(Operation *op) const {
    return panelUnits(getPreferredTile(op).size());
  }
};

/// Rows of activations that are quantized at once.
struct QuantizeRowsHint
    : TileHintInterface::ExternalModel<QuantizeRowsHint, QuantizeRowsOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    return {4, 0, 0};
  }
};

/// Attention (batch, query, head, depth): one head, the queries that share a
/// pass over the keys.
struct AttentionHint
    : TileHintInterface::ExternalModel<AttentionHint, AttentionOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    return {1, tileOf(op, shapeOf(cast<AttentionOp>(op))).rows, 1, 0};
  }
  bool mayTilesGrow(Operation *op) const {
    return cast<AttentionOp>(op).getCausal();
  }
};

/// Attention over a cache: all heads that read the same keys, and as many
/// queries as fill the kernel's rows with them.
struct PagedAttentionHint
    : TileHintInterface::ExternalModel<PagedAttentionHint, PagedAttentionOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    TileShape shape = shapeOf(cast<PagedAttentionOp>(op));
    int64_t rows = tileOf(op, shape).rows, group = shape.columns;
    return {1, std::max<int64_t>(rows / group, 1), group, 0};
  }
  bool mayTilesGrow(Operation *) const { return true; }
};

/// Attention page by page (row, page, head, depth): all heads that read the
/// same keys.
struct PageAttentionHint
    : TileHintInterface::ExternalModel<PageAttentionHint, PageAttentionOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    auto attention = cast<PageAttentionOp>(op);
    int64_t heads = cast<ShapedType>(attention.getQ().getType()).getDimSize(1);
    return {1, 1, sharing(heads, attention.getCache().getType().getHeads()), 0};
  }
};

} // namespace

void ingot::registerCpuTileHints(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, IngotDialect *) {
    LinearOp::attachInterface<ProductHint<LinearOp>>(*context);
    MatmulOp::attachInterface<ProductHint<MatmulOp>>(*context);
    QuantizeRowsOp::attachInterface<QuantizeRowsHint>(*context);
    QuantizedLinearOp::attachInterface<ProductHint<QuantizedLinearOp>>(
        *context);
    AttentionOp::attachInterface<AttentionHint>(*context);
    PagedAttentionOp::attachInterface<PagedAttentionHint>(*context);
    PageAttentionOp::attachInterface<PageAttentionHint>(*context);
  });
}
