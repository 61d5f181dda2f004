//===- Values.cpp - values of a program as polynomials --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Values.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

Values::Values(mega::ProgramOp program, Terms &terms)
    : terms(terms), program(program) {}

StringRef Values::roleOf(Value argument) {
  auto arg = dyn_cast<BlockArgument>(argument);
  if (!arg || arg.getOwner() != &program.getProgram())
    return {};
  auto role =
      program.getArgAttrOfType<StringAttr>(arg.getArgNumber(), "ingot.role");
  return role ? role.getValue() : StringRef();
}

//===----------------------------------------------------------------------===//
// Atoms
//===----------------------------------------------------------------------===//

Poly Values::workers() {
  if (knownWorkers)
    return *knownWorkers;
  return terms.make("workers", "workers", true, [](const Poly &atom) {
    return std::vector<Formula>{atLeast(atom, 1)};
  });
}

Poly Values::workerOf(StringRef tag) {
  std::string name = "worker" + (tag.empty() ? "" : " of " + tag.str());
  Poly all = workers();
  return terms.make(name, name, true, [&](const Poly &atom) {
    return std::vector<Formula>{atLeast(atom, 0), lessThan(atom, all)};
  });
}

Poly Values::extentOf(const Tile &tile, unsigned dim) {
  mega::TilesOp tiles = tile.tiles;
  return valueOf(tiles.getMixedExtents()[dim], tile);
}

Poly Values::stepOf(const Tile &tile, unsigned dim) {
  mega::TilesOp tiles = tile.tiles;
  return valueOf(tiles.getMixedSteps()[dim], tile);
}

Poly Values::numberOf(const Tile &tile, unsigned dim) {
  Poly extent = extentOf(tile, dim), step = stepOf(tile, dim);
  std::string name = "tile " + tile.tag + "[" + std::to_string(dim) + "]";
  mega::TilesOp tiles = tile.tiles;
  std::string key = name + std::to_string(uintptr_t(tiles.getOperation()));
  return terms.make(key, name, !tile.isWitness, [&](const Poly &atom) {
    if (tile.isWitness)
      return std::vector<Formula>{};
    return std::vector<Formula>{atLeast(atom, 0),
                                lessThan(step * atom, extent)};
  });
}

Poly Values::opaque(Value value, const Tile &tile) {
  unsigned number =
      opaqueNumbers.try_emplace(value, opaqueNumbers.size()).first->second;
  bool isOfTile =
      !isa<mega::ProgramOp>(value.getParentBlock()->getParentOp()) ||
      dependsOnWorker(value);
  std::string name = "value" + std::to_string(number) +
                     (isOfTile ? " of " + tile.tag : std::string());
  return terms.make(name, name, false,
                    [](const Poly &) { return std::vector<Formula>{}; });
}

void Values::assume(llvm::DenseMap<Value, bool> conditions) {
  assumed = std::move(conditions);
  known.clear();
}

void Values::define(Value value, const Poly &poly, StringRef tag) {
  auto key = std::make_pair(value.getAsOpaquePointer(), tag.str());
  defined.insert_or_assign(key, poly);
  known.erase(key);
}

bool Values::dependsOnWorker(Value value) {
  if (roleOf(value) == "worker")
    return true;
  // Where scratch lies differs, but nothing else of it.
  Operation *op = value.getDefiningOp();
  if (!op || isa<mega::ScratchOp>(op))
    return false;
  auto found = workerDependence.find(value);
  if (found != workerDependence.end())
    return found->second;
  bool result = llvm::any_of(op->getOperands(), [&](Value operand) {
    return dependsOnWorker(operand);
  });
  return workerDependence[value] = result;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Poly Values::valueOf(OpFoldResult value, const Tile &tile) {
  if (auto attr = dyn_cast<Attribute>(value))
    return cast<IntegerAttr>(attr).getInt();
  auto key = std::make_pair(cast<Value>(value).getAsOpaquePointer(), tile.tag);
  auto found = known.find(key);
  if (found != known.end())
    return found->second;
  for (StringRef tag : {StringRef(tile.tag), StringRef("*")}) {
    auto told = defined.find({key.first, tag.str()});
    if (told != defined.end())
      return told->second;
  }
  if (Value other = aliases.lookup(cast<Value>(value)))
    return valueOf(other, tile);
  Poly result = compute(cast<Value>(value), tile);
  return known.try_emplace(key, result).first->second;
}

Poly Values::compute(Value value, const Tile &tile) {
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    StringRef role = roleOf(value);
    if (role == "worker")
      return workerOf(tile.tag);
    if (role == "workers")
      return workers();
    mega::TilesOp tiles = tile.tiles;
    if (tiles && arg.getOwner() == &tiles.getBody().front())
      return numberOf(tile, arg.getArgNumber()) *
             stepOf(tile, arg.getArgNumber());
    return opaque(value, tile);
  }
  Operation *op = value.getDefiningOp();
  if (auto size = dyn_cast<SizeOp>(op))
    return valueOf(size.getExpr().getDims().front());
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return fromMap(apply.getAffineMap(), apply.getMapOperands(), tile).front();
  if (auto least = dyn_cast<affine::AffineMinOp>(op))
    return terms.min(fromMap(least.getMap(), least.getOperands(), tile));
  if (auto most = dyn_cast<affine::AffineMaxOp>(op))
    return terms.max(fromMap(most.getMap(), most.getOperands(), tile));
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    auto type = dyn_cast<MemRefType>(dim.getSource().getType());
    if (!index || !type || *index < 0 || *index >= type.getRank())
      return opaque(value, tile);
    return shapeOf(dim.getSource(), tile)[*index];
  }
  return fromArith(op, tile);
}

Poly Values::truncatedDiv(const Poly &a, const Poly &b, Value value,
                          const Tile &tile) {
  // Rounding towards zero is rounding down where both are not negative.
  std::optional<int64_t> constant = a.constant(), divisor = b.constant();
  if (constant && divisor && *constant >= 0 && *divisor > 0)
    return *constant / *divisor;
  Poly floor = terms.floorDiv(a, b);
  // What it is of may not be the same in every case.
  std::string name = terms.text(opaque(value, tile)) + " as quotient";
  std::string key = name + Terms::keyOf(a) + "/" + Terms::keyOf(b);
  return terms.make(key, name, false, [&](const Poly &atom) {
    return std::vector<Formula>{
        Formula::any({lessThan(a, 0), lessThan(b, 1), equal(atom, floor)})};
  });
}

/// Whether numbers of a type are taken for integers that do not wrap around.
static bool isWide(Type type) { return type.isIndex() || type.isInteger(64); }

Poly Values::fromArith(Operation *op, const Tile &tile) {
  Value result = op->getResult(0);
  APInt constant;
  if (matchPattern(result, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  if (isa<arith::IndexCastOp>(op) && isWide(result.getType()))
    return valueOf(op->getOperand(0), tile);
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    auto decided = assumed.find(select.getCondition());
    if (decided != assumed.end())
      return valueOf(decided->second ? select.getTrueValue()
                                     : select.getFalseValue(),
                     tile);
    Formula condition = conditionOf(select.getCondition(), tile);
    Poly a = valueOf(select.getTrueValue(), tile);
    Poly b = valueOf(select.getFalseValue(), tile);
    std::string name = terms.text(opaque(result, tile)) + " as choice";
    std::string key = name + Terms::keyOf(condition) + "?" + Terms::keyOf(a) +
                      ":" + Terms::keyOf(b);
    return terms.make(key, name, false, [&](const Poly &atom) {
      return std::vector<Formula>{
          Formula::any({condition.negated(), equal(atom, a)}),
          Formula::any({condition, equal(atom, b)})};
    });
  }
  if (op->getNumOperands() != 2 || !isWide(op->getOperand(0).getType()))
    return opaque(result, tile);
  Poly a = valueOf(op->getOperand(0), tile);
  Poly b = valueOf(op->getOperand(1), tile);
  return llvm::TypeSwitch<Operation *, Poly>(op)
      .Case([&](arith::AddIOp) { return a + b; })
      .Case([&](arith::SubIOp) { return a - b; })
      .Case([&](arith::MulIOp) { return a * b; })
      .Case([&](arith::MinSIOp) { return terms.min({a, b}); })
      .Case([&](arith::MaxSIOp) { return terms.max({a, b}); })
      .Case([&](arith::FloorDivSIOp) { return terms.floorDiv(a, b); })
      .Case([&](arith::CeilDivSIOp) { return terms.ceilDiv(a, b); })
      .Case<arith::DivSIOp, arith::DivUIOp>(
          [&](Operation *) { return truncatedDiv(a, b, result, tile); })
      .Case<arith::RemSIOp, arith::RemUIOp>(
          [&](Operation *) { return a - b * truncatedDiv(a, b, result, tile); })
      .Default([&](Operation *) { return opaque(result, tile); });
}

std::optional<Formula> Values::compareOf(Operation *op, const Tile &tile) {
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (!compare || !isWide(compare.getLhs().getType()))
    return std::nullopt;
  Poly a = valueOf(compare.getLhs(), tile), b = valueOf(compare.getRhs(), tile);
  // Without sign, what is negative is more than all that is not.
  auto isBelow = [](const Poly &less, const Poly &more, int64_t by) {
    Formula isLess = atLeast(more, less + by);
    Formula first = lessThan(less, 0), second = lessThan(more, 0);
    return Formula::any(
        {Formula::all({first.negated(), second}),
         Formula::all({first.negated(), second.negated(), isLess}),
         Formula::all({first, second, isLess})});
  };
  switch (compare.getPredicate()) {
  case arith::CmpIPredicate::eq:
    return equal(a, b);
  case arith::CmpIPredicate::ne:
    return equal(a, b).negated();
  case arith::CmpIPredicate::slt:
    return lessThan(a, b);
  case arith::CmpIPredicate::sle:
    return atLeast(b, a);
  case arith::CmpIPredicate::sgt:
    return lessThan(b, a);
  case arith::CmpIPredicate::sge:
    return atLeast(a, b);
  case arith::CmpIPredicate::ult:
    return isBelow(a, b, 1);
  case arith::CmpIPredicate::ule:
    return isBelow(a, b, 0);
  case arith::CmpIPredicate::ugt:
    return isBelow(b, a, 1);
  case arith::CmpIPredicate::uge:
    return isBelow(b, a, 0);
  }
  return std::nullopt;
}

Formula Values::conditionOf(Value value, const Tile &tile) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.isZero() ? Formula::any({}) : Formula::always();
  Operation *op = value.getDefiningOp();
  if (op && isa<arith::AndIOp, arith::OrIOp>(op)) {
    Formula a = conditionOf(op->getOperand(0), tile);
    Formula b = conditionOf(op->getOperand(1), tile);
    return isa<arith::AndIOp>(op) ? Formula::all({a, b}) : Formula::any({a, b});
  }
  std::optional<Formula> compared = op ? compareOf(op, tile) : std::nullopt;
  return compared ? *compared : equal(opaque(value, tile), 1);
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

Poly Values::dimOf(StringRef name, DimOp symbol) {
  return terms.make("dim " + name.str(), name.str(), true, [&](const Poly &p) {
    std::vector<Formula> facts = {atLeast(p, 0)};
    if (symbol)
      facts.push_back(atLeast(p, int64_t(symbol.getMin())));
    if (symbol && symbol.getMax())
      facts.push_back(atLeast(int64_t(*symbol.getMax()), p));
    return facts;
  });
}

Formula Values::rangeOf(DimOp dim) {
  // All that is known of it comes with it.
  return atLeast(dimOf(dim.getSymName(), dim), 0);
}

Poly Values::valueOf(const DimExpr &expr, Resolve resolve) {
  Poly sum;
  for (const DimExpr::Term &term : expr.getTerms()) {
    Poly product = term.coefficient;
    for (const DimExpr::AtomRef &atom : term.atoms) {
      Poly a, b;
      if (atom->kind != DimExpr::AtomKind::Symbol) {
        a = valueOf(atom->args[0], resolve);
        b = valueOf(atom->args[1], resolve);
      }
      switch (atom->kind) {
      case DimExpr::AtomKind::Symbol: {
        if (std::optional<Poly> told =
                resolve ? resolve(atom->name) : std::nullopt) {
          product = product * *told;
          break;
        }
        auto module = program->getParentOfType<ModuleOp>();
        auto symbol = module ? module.lookupSymbol<DimOp>(atom->name) : DimOp();
        product = product * dimOf(atom->name, symbol);
        break;
      }
      case DimExpr::AtomKind::FloorDiv:
        product = product * terms.floorDiv(a, b);
        break;
      case DimExpr::AtomKind::Max:
        product = product * terms.max({a, b});
        break;
      case DimExpr::AtomKind::Min:
        product = product * terms.min({a, b});
        break;
      case DimExpr::AtomKind::Broadcast:
        product = product * terms.broadcast(a, b);
        break;
      }
    }
    sum = sum + product;
  }
  return sum;
}

Poly Values::fromAffine(AffineExpr expr, ArrayRef<Poly> dims,
                        ArrayRef<Poly> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto both = cast<AffineBinaryOpExpr>(expr);
  Poly a = fromAffine(both.getLHS(), dims, symbols);
  Poly b = fromAffine(both.getRHS(), dims, symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return a + b;
  case AffineExprKind::Mul:
    return a * b;
  case AffineExprKind::Mod:
    return terms.mod(a, b);
  case AffineExprKind::FloorDiv:
    return terms.floorDiv(a, b);
  default:
    return terms.ceilDiv(a, b);
  }
}

SmallVector<Poly> Values::fromMap(AffineMap map, ValueRange operands,
                                  const Tile &tile) {
  SmallVector<Poly> values, results;
  for (Value operand : operands)
    values.push_back(valueOf(operand, tile));
  ArrayRef<Poly> all = values;
  for (AffineExpr expr : map.getResults())
    results.push_back(fromAffine(expr, all.take_front(map.getNumDims()),
                                 all.drop_front(map.getNumDims())));
  return results;
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

Poly Values::extentOfArgument(BlockArgument arg, int64_t dim) {
  if (arg.getOwner() != &program.getProgram()) {
    std::string name = "dim " + std::to_string(dim) + " of " +
                       terms.text(opaque(arg, {{}, ""}));
    return terms.make(name, name, false, [](const Poly &atom) {
      return std::vector<Formula>{atLeast(atom, 0)};
    });
  }
  if (auto dims =
          program.getArgAttrOfType<DimsAttr>(arg.getArgNumber(), dimsAttrName))
    if (size_t(dim) < dims.getDims().size())
      return valueOf(dims.getDims()[dim]);
  std::string name = "dim " + std::to_string(dim) + " of argument " +
                     std::to_string(arg.getArgNumber());
  return terms.make("argument " + name, name, true, [](const Poly &atom) {
    return std::vector<Formula>{atLeast(atom, 0)};
  });
}

SmallVector<Poly> Values::shapeOf(Value memref, const Tile &tile) {
  if (Value other = aliases.lookup(memref))
    return shapeOf(other, tile);
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<Poly> shape;
  for (int64_t extent : type.getShape())
    shape.push_back(ShapedType::isDynamic(extent) ? 0 : extent);
  auto setDynamic = [&](llvm::function_ref<Poly(unsigned dim)> extent) {
    for (unsigned dim = 0; dim < shape.size(); ++dim)
      if (type.isDynamicDim(dim))
        shape[dim] = extent(dim);
  };
  auto setParts = [&](ArrayRef<OpFoldResult> sizes, MemRefType source) {
    // Dims of size 1 may be missing in the result: the others are in order.
    SmallVector<int64_t> whole;
    for (OpFoldResult size : sizes)
      whole.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
    auto dropped = computeRankReductionMask(whole, type.getShape());
    unsigned next = 0;
    for (unsigned dim = 0; dim < sizes.size(); ++dim)
      if (!dropped || !dropped->contains(dim))
        shape[next++] = valueOf(sizes[dim], tile);
  };
  if (auto arg = dyn_cast<BlockArgument>(memref)) {
    setDynamic([&](unsigned dim) { return extentOfArgument(arg, dim); });
    return shape;
  }
  auto setOperands = [&](ValueRange sizes) {
    setDynamic([&](unsigned dim) {
      return valueOf(sizes[type.getDynamicDimIndex(dim)], tile);
    });
  };
  llvm::TypeSwitch<Operation *>(memref.getDefiningOp())
      .Case([&](memref::ViewOp view) { setOperands(view.getSizes()); })
      .Case([&](mega::ScratchOp scratch) { setOperands(scratch.getSizes()); })
      .Case([&](memref::AllocaOp alloca) {
        setOperands(alloca.getDynamicSizes());
      })
      .Case([&](memref::SubViewOp view) {
        setParts(view.getMixedSizes(), view.getSourceType());
      })
      .Case([&](mega::AccessOp access) {
        if (access.isWhole())
          shape = shapeOf(access.getSource(), tile);
        else
          setParts(access.getMixedSizes(),
                   cast<MemRefType>(access.getSource().getType()));
      })
      .Case([&](memref::ExpandShapeOp expand) {
        SmallVector<OpFoldResult> sizes = expand.getMixedOutputShape();
        setDynamic([&](unsigned dim) { return valueOf(sizes[dim], tile); });
      })
      .Case([&](memref::CollapseShapeOp collapse) {
        SmallVector<Poly> from = shapeOf(collapse.getSrc(), tile);
        for (auto [dim, group] :
             llvm::enumerate(collapse.getReassociationIndices())) {
          shape[dim] = 1;
          for (int64_t part : group)
            shape[dim] = shape[dim] * from[part];
        }
      })
      .Case(
          [&](memref::CastOp cast) { shape = shapeOf(cast.getSource(), tile); })
      .Default([&](Operation *) {
        std::string name = terms.text(opaque(memref, tile));
        setDynamic([&](unsigned dim) {
          std::string own = "dim " + std::to_string(dim) + " of " + name;
          return terms.make(own, own, false, [](const Poly &atom) {
            return std::vector<Formula>{atLeast(atom, 0)};
          });
        });
      });
  return shape;
}
