//===- CacheOps.cpp - keys and values kept between runs -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

static bool mayBeEqual(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

LogicalResult
CacheType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                  int64_t heads, int64_t keyDepth, int64_t valueDepth,
                  Type type, int64_t window, bool bound) {
  if (heads <= 0 || keyDepth <= 0 || valueDepth <= 0)
    return emitError() << "a cache needs heads and depths above zero";
  if (!type.isF32() && !type.isF16())
    return emitError() << "a cache holds f32 or f16, not " << type;
  if (window < 0)
    return emitError() << "a cache has a negative window";
  if (bound && window != 0)
    return emitError() << "a bound cache has no window";
  return success();
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

Value CachePartOp::getViewSource() { return getCache(); }

LogicalResult CachePartOp::verify() {
  CacheType from = getCache().getType(), to = getResult().getType();
  if (to.getKeyDepth() != from.getKeyDepth() ||
      to.getValueDepth() != from.getValueDepth() ||
      to.getType() != from.getType() || to.getWindow() != from.getWindow() ||
      to.getBound() != from.getBound() || to.getHeads() > from.getHeads())
    return emitOpError("makes ") << to << " of " << from;
  return success();
}

LogicalResult CacheMemberOp::verify() {
  if (getCaches().empty())
    return emitOpError("has no cache to choose from");
  for (Type type : getCaches().getTypes())
    if (type != getType())
      return emitOpError("chooses ") << getType() << " from " << type;
  return success();
}

ParseResult CacheMemberOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand number;
  SmallVector<OpAsmParser::UnresolvedOperand> caches;
  Type type;
  return failure(parser.parseLSquare() || parser.parseOperand(number) ||
                 parser.parseRSquare() || parser.parseKeyword("of") ||
                 parser.parseOperandList(caches) ||
                 parser.parseOptionalAttrDict(result.attributes) ||
                 parser.parseColonType(type) ||
                 parser.resolveOperand(number,
                                       parser.getBuilder().getIndexType(),
                                       result.operands) ||
                 parser.resolveOperands(caches, type, result.operands) ||
                 parser.addTypeToList(type, result.types));
}

void CacheMemberOp::print(OpAsmPrinter &p) {
  p << " [" << getNumber() << "] of " << getCaches();
  p.printOptionalAttrDict((*this)->getAttrs());
  p << " : " << getResult().getType();
}

/// The types of a page's keys and values.
static std::pair<MemRefType, MemRefType> pageTypes(CacheType cache) {
  int64_t heads = cache.getHeads();
  return {MemRefType::get({heads, cache.getKeyDepth(), cachePagePositions},
                          cache.getType()),
          MemRefType::get({heads, cachePagePositions, cache.getValueDepth()},
                          cache.getType())};
}

void CachePageOp::build(OpBuilder &builder, OperationState &state, Value cache,
                        Value row, Value page) {
  auto [keys, values] = pageTypes(cast<CacheType>(cache.getType()));
  build(builder, state, keys, values, cache, row, page);
}

LogicalResult CachePageOp::verify() {
  auto [keys, values] = pageTypes(getCache().getType());
  if (getKeys().getType() != keys || getValues().getType() != values)
    return emitOpError("gives ") << keys << " and " << values;
  return success();
}

//===----------------------------------------------------------------------===//
// Appending
//===----------------------------------------------------------------------===//

/// The vectors of rows that say where a row's new tokens begin and how many
/// there are.
static LogicalResult verifyRows(Operation *op, Value x, Value past,
                                Value count) {
  for (Value rows : {past, count}) {
    ShapedType type = shaped(rows);
    if (type.getRank() != 1 || !type.getElementType().isInteger(64) ||
        !mayBeEqual(type.getDimSize(0), shaped(x).getDimSize(0)))
      return op->emitOpError("needs one i64 for each row of ")
             << x.getType() << ", not " << type;
  }
  return success();
}

LogicalResult KvAppendOp::verify() {
  ShapedType keys = shaped(getKeys()), values = shaped(getValues());
  CacheType cache = getCache().getType();
  if (keys.getRank() != 4 || values.getRank() != 4)
    return emitOpError("needs keys and values of rank 4");
  for (int64_t dim : {0, 1, 2})
    if (!mayBeEqual(keys.getDimSize(dim), values.getDimSize(dim)))
      return emitOpError("has keys and values that do not fit together: ")
             << keys << ", " << values;
  if (!mayBeEqual(keys.getDimSize(2), cache.getHeads()) ||
      !mayBeEqual(keys.getDimSize(3), cache.getKeyDepth()) ||
      !mayBeEqual(values.getDimSize(3), cache.getValueDepth()))
    return emitOpError("appends ")
           << keys << " and " << values << " to " << cache;
  return verifyRows(*this, getKeys(), getPast(), getCount());
}

void KvAppendOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  effects.emplace_back(MemoryEffects::Write::get(), &getCacheMutable());
}

LogicalResult CacheStoreOp::verify() {
  ShapedType x = shaped(getX());
  CacheType cache = getCache().getType();
  int64_t depth = getSide() == CacheSide::Keys ? cache.getKeyDepth()
                                               : cache.getValueDepth();
  if (x.getRank() != 3 || !mayBeEqual(x.getDimSize(2), depth) ||
      (!x.isDynamicDim(1) && x.getDimSize(1) > cache.getHeads()))
    return emitOpError("puts ") << x << " into " << cache;
  for (Value rows : {getPast(), getCount()})
    if (shaped(rows).getRank() != 1 ||
        !shaped(rows).getElementType().isInteger(64))
      return emitOpError("needs one i64 for each row, not ") << rows.getType();
  return success();
}

void CacheStoreOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  SideEffects::Resource *side = CacheKeys::get();
  if (getSide() == CacheSide::Values)
    side = CacheValues::get();
  effects.emplace_back(MemoryEffects::Write::get(), &getCacheMutable(), side);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// The dims of the result: those of q, with the values' depth.
static FailureOr<DimShape> resultShape(const DimShape &q, CacheType cache) {
  if (q.size() != 4)
    return failure();
  return DimShape{q[0], q[1], q[2], DimExpr::constant(cache.getValueDepth())};
}

LogicalResult
PagedAttentionOp::inferShapes(ArrayRef<DimShape> operands,
                              SmallVectorImpl<DimShape> &results) {
  FailureOr<DimShape> shape = resultShape(operands[0], getCache().getType());
  if (failed(shape))
    return failure();
  results.push_back(*shape);
  return success();
}

void PagedAttentionOp::build(OpBuilder &builder, OperationState &state, Value q,
                             Value past, Value count, Value cache, Value bias,
                             double scale, int64_t window, double softcap) {
  FailureOr<DimShape> shape =
      resultShape(opaqueShapes(q).front(), cast<CacheType>(cache.getType()));
  Value init =
      makeDestination(builder, state.location, q,
                      succeeded(shape) ? *shape : DimShape(), elementTypeOf(q));
  build(builder, state, init.getType(), q, past, count, /*first=*/Value(),
        cache, bias, init, llvm::APFloat(scale), static_cast<uint64_t>(window),
        llvm::APFloat(softcap));
}

LogicalResult PagedAttentionOp::verify() {
  ShapedType q = shaped(getQ()), init = shaped(getInit());
  CacheType cache = getCache().getType();
  if (q.getRank() != 4 || !mayBeEqual(q.getDimSize(3), cache.getKeyDepth()))
    return emitOpError("asks with ") << q << " for keys of " << cache;
  if (q.getDimSize(2) > 0 && q.getDimSize(2) % cache.getHeads() != 0)
    return emitOpError("has ") << q.getDimSize(2) << " query heads for "
                               << cache.getHeads() << " key heads";
  if (static_cast<int64_t>(getWindow()) < 0)
    return emitOpError("has a negative window");
  if (cache.getWindow() > 0 &&
      (getWindow() == 0 ||
       static_cast<int64_t>(getWindow()) > cache.getWindow()))
    return emitOpError("sees more than the last ")
           << cache.getWindow() << " positions, which the cache keeps";
  if (cache.getBound() && (getWindow() != 0 || getBias()))
    return emitOpError("has a ") << (getBias() ? "bias" : "window")
                                 << " by distance over a bound cache";
  if (getBias()) {
    ShapedType bias = shaped(getBias());
    if (bias.getRank() != 2 || !isa<FloatType>(bias.getElementType()) ||
        !mayBeEqual(bias.getDimSize(0), q.getDimSize(2)) ||
        bias.getDimSize(1) == 0)
      return emitOpError("needs numbers for each head of ")
             << q << " and distance, not " << bias;
  }
  auto expected =
      RankedTensorType::get({q.getDimSize(0), q.getDimSize(1), q.getDimSize(2),
                             cache.getValueDepth()},
                            init.getElementType());
  if (failed(verifyCompatibleShape(expected, init)))
    return emitOpError("has a destination of type ")
           << init << " for a result of type " << expected;
  return verifyRows(*this, getQ(), getPast(), getCount());
}

/// Against the new keys alone: how many lie in the cache is known to a run.
DimExpr PagedAttentionOp::getFlops(ArrayRef<DimShape> operands,
                                   ArrayRef<DimShape> results) {
  const DimShape &q = operands[0];
  DimExpr depths =
      q[3] + DimExpr::constant(getCache().getType().getValueDepth());
  return DimExpr::constant(2) * q[0] * q[1] * q[2] * q[1] * depths;
}

//===----------------------------------------------------------------------===//
// Attention page by page
//===----------------------------------------------------------------------===//

LogicalResult PageAttentionOp::inferShapes(ArrayRef<DimShape> operands,
                                           SmallVectorImpl<DimShape> &results) {
  // Only the destination knows for how many pages there is room.
  results.push_back(operands.back());
  return success();
}

LogicalResult PageAttentionOp::verify() {
  ShapedType q = shaped(getQ()), init = shaped(getInit());
  CacheType cache = getCache().getType();
  if (q.getRank() != 3 || !mayBeEqual(q.getDimSize(2), cache.getKeyDepth()))
    return emitOpError("asks with ") << q << " for keys of " << cache;
  if (q.getDimSize(1) > 0 && q.getDimSize(1) % cache.getHeads() != 0)
    return emitOpError("has ") << q.getDimSize(1) << " query heads for "
                               << cache.getHeads() << " key heads";
  if (cache.getBound() || static_cast<int64_t>(getWindow()) < 0)
    return emitOpError("sees no positions one after the other");
  auto expected = RankedTensorType::get({q.getDimSize(0), ShapedType::kDynamic,
                                         q.getDimSize(1),
                                         cache.getValueDepth() + pagePartExtra},
                                        Float32Type::get(getContext()));
  if (failed(verifyCompatibleShape(expected, init)) ||
      init.getElementType() != expected.getElementType())
    return emitOpError("has a destination of type ")
           << init << " for a result of type " << expected;
  return verifyRows(*this, getQ(), getPast(), getCount());
}

DimExpr PageAttentionOp::getFlops(ArrayRef<DimShape> operands,
                                  ArrayRef<DimShape> results) {
  DimExpr depths =
      operands[0][2] + DimExpr::constant(getCache().getType().getValueDepth());
  return DimExpr::constant(2) * operands[0][0] * operands[0][1] * depths;
}

LogicalResult MergePagesOp::inferShapes(ArrayRef<DimShape> operands,
                                        SmallVectorImpl<DimShape> &results) {
  results.push_back(operands.back());
  return success();
}

LogicalResult MergePagesOp::verify() {
  ShapedType parts = shaped(getParts()), init = shaped(getInit());
  bool fits =
      parts.getRank() == 4 && init.getRank() == 3 &&
      parts.getElementType().isF32() && !parts.isDynamicDim(3) &&
      mayBeEqual(parts.getDimSize(0), init.getDimSize(0)) &&
      mayBeEqual(parts.getDimSize(2), init.getDimSize(1)) &&
      mayBeEqual(parts.getDimSize(3) - pagePartExtra, init.getDimSize(2));
  if (!fits)
    return emitOpError("makes ") << init << " of " << parts;
  return verifyRows(*this, getInit(), getPast(), getCount());
}

DimExpr MergePagesOp::getFlops(ArrayRef<DimShape> operands,
                               ArrayRef<DimShape> results) {
  return DimExpr::constant(2) * product(operands[0]);
}
