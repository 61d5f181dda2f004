//===- Operands.cpp - operands of an op fit together ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// An op's loops are as long as some of its operands are, and touch the others
// as far. What that asks of extents comes from the op: from the maps of a
// linalg op, from ExtentTiesInterface of ours.
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CounterOps.h"
#include "lib/Prove/Model.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// Something that has to hold of two numbers.
struct Claim {
  Poly a, b;
  bool mayBeLess = false;
  /// In such cases it need not.
  std::vector<Formula> unless;

  Formula goal() const {
    std::vector<Formula> ways = unless;
    ways.push_back(mayBeLess ? atLeast(b, a) : equal(a, b));
    return Formula::any(std::move(ways));
  }
};

class OperandChecker {
public:
  explicit OperandChecker(Model &model) : model(model) {}

  LogicalResult run() {
    bool isRight = true;
    for (const Step &step : stepsOf(model.program))
      for (mega::TilesOp tiles : step.tiles) {
        tile = {tiles, "a"};
        tiles.getBody().walk(
            [&](Operation *op) { isRight &= succeeded(check(op)); });
      }
    return success(isRight);
  }

private:
  LogicalResult check(Operation *op) {
    std::optional<std::vector<Claim>> claims = claimsOf(op);
    if (!claims)
      return op->emitError("cannot be proved: what it needs of the extents of "
                           "its operands is not known");
    for (const Claim &claim : *claims) {
      Formula goal = claim.goal();
      if (goal.kind == Formula::Kind::All && goal.parts.empty())
        continue;
      Outcome outcome = model.solver.prove(model.factsAt(op), goal);
      if (outcome)
        continue;
      InFlightDiagnostic diagnostic =
          op->emitError("has operands that do not fit together: ");
      diagnostic << model.terms.text(claim.a) << " has to be "
                 << (claim.mayBeLess ? "no more than " : "")
                 << model.terms.text(claim.b);
      attach(model, diagnostic, outcome);
      return diagnostic;
    }
    return success();
  }

  /// What has to hold for `op`; nothing if that is not known.
  std::optional<std::vector<Claim>> claimsOf(Operation *op) {
    // Views are of something, whatever is done through them; single elements
    // are where index arithmetic says; where counters are, ProveOrder asks.
    if (llvm::none_of(op->getOperandTypes(), llvm::IsaPred<BaseMemRefType>) ||
        isa<ViewLikeOpInterface, mega::ScratchOp, memref::DimOp, memref::LoadOp,
            memref::StoreOp, mega::SignalOp, mega::AwaitOp>(op))
      return std::vector<Claim>();
    if (auto loops = dyn_cast<linalg::LinalgOp>(op))
      return claimsOfLoops(loops);
    if (auto ties = dyn_cast<ExtentTiesInterface>(op))
      return claimsOfTies(ties);
    return std::nullopt;
  }

  std::vector<Claim> claimsOfTies(ExtentTiesInterface op) {
    SmallVector<DimShape> shapes = opaqueShapes(op->getOperands());
    llvm::StringMap<Poly> symbols;
    for (auto [number, operand] : llvm::enumerate(op->getOperands())) {
      SmallVector<Poly> extents;
      if (isa<MemRefType>(operand.getType())) {
        extents = model.values.shapeOf(operand, tile);
      } else if (operand.getType().isIndex()) {
        extents.push_back(model.values.valueOf(operand, tile));
        shapes[number] = {DimExpr::symbol(operandDimSymbol(number, 0))};
      }
      for (auto [dim, extent] : llvm::enumerate(extents))
        symbols[operandDimSymbol(number, dim)] = extent;
    }
    auto resolve = [&](StringRef symbol) -> std::optional<Poly> {
      auto found = symbols.find(symbol);
      return found == symbols.end() ? std::nullopt
                                    : std::optional(found->second);
    };
    SmallVector<ExtentTie> ties;
    op.getExtentTies(shapes, ties);
    std::vector<Claim> claims;
    for (const ExtentTie &tie : ties)
      claims.push_back({model.values.valueOf(tie.a, resolve),
                        model.values.valueOf(tie.b, resolve),
                        tie.mayBeLess,
                        {}});
    return claims;
  }

  /// Every operand has an element for each turn of the loops.
  std::optional<std::vector<Claim>> claimsOfLoops(linalg::LinalgOp op) {
    std::vector<Claim> claims;
    SmallVector<std::optional<Poly>> loops(op.getNumLoops());
    auto forEachExpr =
        [&](llvm::function_ref<void(AffineExpr, const Poly &)> visit) {
          for (OpOperand &operand : op->getOpOperands()) {
            if (!isa<MemRefType>(operand.get().getType()))
              continue;
            SmallVector<Poly> shape = model.values.shapeOf(operand.get(), tile);
            AffineMap map = op.getMatchingIndexingMap(&operand);
            for (auto [expr, extent] : llvm::zip_equal(map.getResults(), shape))
              visit(expr, extent);
          }
        };
    forEachExpr([&](AffineExpr expr, const Poly &extent) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        return;
      std::optional<Poly> &loop = loops[dim.getPosition()];
      if (loop)
        claims.push_back({extent, *loop, false, {}});
      else
        loop = extent;
    });
    bool isKnown = true;
    forEachExpr([&](AffineExpr expr, const Poly &extent) {
      if (isa<AffineDimExpr>(expr))
        return;
      std::vector<Formula> isNever;
      std::optional<Poly> last = lastOf(expr, loops, isNever);
      isKnown &= last.has_value();
      if (last)
        claims.push_back({*last + 1, extent, true, isNever});
    });
    return isKnown ? std::optional(claims) : std::nullopt;
  }

  /// The largest value of an expression that does not fall as loops go on; and
  /// where there is none, as some loop has no turn.
  static std::optional<Poly> lastOf(AffineExpr expr,
                                    ArrayRef<std::optional<Poly>> loops,
                                    std::vector<Formula> &isNever) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return constant.getValue() >= 0 ? std::optional<Poly>(constant.getValue())
                                      : std::nullopt;
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      std::optional<Poly> loop = loops[dim.getPosition()];
      if (!loop)
        return std::nullopt;
      isNever.push_back(lessThan(*loop, 1));
      return *loop - 1;
    }
    auto both = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!both || (expr.getKind() != AffineExprKind::Add &&
                  expr.getKind() != AffineExprKind::Mul))
      return std::nullopt;
    std::optional<Poly> a = lastOf(both.getLHS(), loops, isNever);
    std::optional<Poly> b = lastOf(both.getRHS(), loops, isNever);
    if (!a || !b)
      return std::nullopt;
    return expr.getKind() == AffineExprKind::Add ? *a + *b : *a * *b;
  }

  Model &model;
  Tile tile;
};

} // namespace

LogicalResult ingot::prove::checkOperands(Model &model) {
  return OperandChecker(model).run();
}
