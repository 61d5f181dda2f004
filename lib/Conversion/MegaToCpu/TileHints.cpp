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

using namespace mlir;
using namespace ingot;

namespace {

/// Units of tiles of a product: columns are whole packed panels of 16.
SmallVector<int64_t> panelUnits(unsigned rank) {
  SmallVector<int64_t> units(rank, 1);
  units.back() = 16;
  return units;
}

/// Products: rows x columns of the last two dims, outer dims one by one. The
/// more rows, the seldomer weights are read, which stay in the second-level
/// cache meanwhile; columns are whole packed panels of 16. Few columns are cut
/// smaller, so that there are tiles for a team.
template <typename OpTy>
struct ProductHint : TileHintInterface::ExternalModel<ProductHint<OpTy>, OpTy> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    Value init = cast<DestinationStyleOpInterface>(op).getDpsInits()[0];
    auto type = cast<ShapedType>(init.getType());
    int64_t rank = type.getRank(), count = type.getShape().back();
    SmallVector<int64_t> sizes(rank, 1);
    sizes.back() = count < 1024 ? 32 : 64;
    if (rank > 1)
      sizes[rank - 2] = count < 512 ? 24 : count < 1024 ? 64 : 128;
    return sizes;
  }
  SmallVector<int64_t> getTileUnit(Operation *op) const {
    return panelUnits(getPreferredTile(op).size());
  }
};

/// Products with codes: few columns, so that workers get equal shares. Floats
/// are multiplied by what the kernel makes of the codes, once for all rows of
/// the tile.
struct CodedProductHint
    : TileHintInterface::ExternalModel<CodedProductHint, QuantizedLinearOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    bool isFloat = cast<QuantizedLinearOp>(op).getActivationBits() == 32;
    return {isFloat ? 128 : 24, 32};
  }
  SmallVector<int64_t> getTileUnit(Operation *op) const {
    return panelUnits(2);
  }
};

/// Rows of activations that are quantized at once.
struct QuantizeRowsHint
    : TileHintInterface::ExternalModel<QuantizeRowsHint, QuantizeRowsOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    return {4, 0, 0};
  }
};

/// Queries that the attention kernel takes at once.
constexpr int64_t queries = 48;

/// Attention (batch, query, head, depth): one head, the queries that share a
/// pass over the keys.
struct AttentionHint
    : TileHintInterface::ExternalModel<AttentionHint, AttentionOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    return {1, queries, 1, 0};
  }
};

/// Attention over a cache: all heads that read the same keys, and as many
/// queries as fill the kernel's rows with them.
struct PagedAttentionHint
    : TileHintInterface::ExternalModel<PagedAttentionHint, PagedAttentionOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    auto attention = cast<PagedAttentionOp>(op);
    int64_t heads = cast<ShapedType>(attention.getQ().getType()).getDimSize(2);
    int64_t group = 1;
    if (!ShapedType::isDynamic(heads))
      group = std::max<int64_t>(
          heads / attention.getCache().getType().getHeads(), 1);
    return {1, std::max<int64_t>(queries / group, 1), group, 0};
  }
};

/// Attention page by page (row, page, head, depth): all heads that read the
/// same keys.
struct PageAttentionHint
    : TileHintInterface::ExternalModel<PageAttentionHint, PageAttentionOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    auto attention = cast<PageAttentionOp>(op);
    int64_t heads = cast<ShapedType>(attention.getQ().getType()).getDimSize(1);
    int64_t group = ShapedType::isDynamic(heads)
                        ? 1
                        : heads / attention.getCache().getType().getHeads();
    return {1, 1, std::max<int64_t>(group, 1), 0};
  }
};

} // namespace

void ingot::registerCpuTileHints(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, IngotDialect *) {
    LinearOp::attachInterface<ProductHint<LinearOp>>(*context);
    MatmulOp::attachInterface<ProductHint<MatmulOp>>(*context);
    QuantizeRowsOp::attachInterface<QuantizeRowsHint>(*context);
    QuantizedLinearOp::attachInterface<CodedProductHint>(*context);
    AttentionOp::attachInterface<AttentionHint>(*context);
    PagedAttentionOp::attachInterface<PagedAttentionHint>(*context);
    PageAttentionOp::attachInterface<PageAttentionHint>(*context);
  });
}
