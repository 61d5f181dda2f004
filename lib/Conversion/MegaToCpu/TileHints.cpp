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

/// Rows of a tile: the more, the seldomer weights are read, which stay in the
/// second-level cache meanwhile. Few columns are cut into more rows, so that
/// there are tiles for a team. Codes are not read for all rows at once.
int64_t rowsOf(int64_t columns, bool isCode) {
  if (isCode || columns < 512)
    return 24;
  return columns < 1024 ? 64 : 128;
}
/// Columns of a tile, whole packed panels of 16: of floats two, what the kernel
/// takes at once, so that few columns are dealt evenly; of codes four, since
/// one row of those is multiplied in as many independent sums.
constexpr int64_t floatColumns = 32;
constexpr int64_t codeColumns = 64;

/// Products: rows x columns of the last two dims, outer dims one by one.
template <typename OpTy, int64_t columns>
struct ProductHint
    : TileHintInterface::ExternalModel<ProductHint<OpTy, columns>, OpTy> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    Value init = cast<DestinationStyleOpInterface>(op).getDpsInits()[0];
    auto type = cast<ShapedType>(init.getType());
    SmallVector<int64_t> sizes(type.getRank(), 1);
    sizes.back() = columns;
    if (type.getRank() > 1)
      sizes[type.getRank() - 2] =
          rowsOf(type.getShape().back(), columns == codeColumns);
    return sizes;
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

/// Tokens that are appended together: one or two lines of transposed keys.
constexpr int64_t tokens = 32;

/// Appending (row, token).
struct KvAppendHint
    : TileHintInterface::ExternalModel<KvAppendHint, KvAppendOp> {
  SmallVector<int64_t> getPreferredTile(Operation *op) const {
    return {1, tokens};
  }
};

} // namespace

void ingot::registerCpuTileHints(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, IngotDialect *) {
    LinearOp::attachInterface<ProductHint<LinearOp, floatColumns>>(*context);
    MatmulOp::attachInterface<ProductHint<MatmulOp, floatColumns>>(*context);
    QuantizeRowsOp::attachInterface<QuantizeRowsHint>(*context);
    QuantizedLinearOp::attachInterface<
        ProductHint<QuantizedLinearOp, codeColumns>>(*context);
    AttentionOp::attachInterface<AttentionHint>(*context);
    PagedAttentionOp::attachInterface<PagedAttentionHint>(*context);
    KvAppendOp::attachInterface<KvAppendHint>(*context);
  });
}
