//===- IngotDialect.cpp - the ingot dialect -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotDialect.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace ingot;

#include "dialects/Ingot/IR/IngotDialect.cpp.inc"
#include "dialects/Ingot/IR/IngotEnums.cpp.inc"
#include "dialects/Ingot/IR/IngotInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Ingot/IR/IngotAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/Ingot/IR/IngotTypes.cpp.inc"

void IngotDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Ingot/IR/IngotAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Ingot/IR/IngotTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Ingot/IR/IngotOps.cpp.inc"
      >();
}

Operation *IngotDialect::materializeConstant(OpBuilder &builder,
                                             Attribute value, Type type,
                                             Location loc) {
  if (auto elements = dyn_cast<ElementsAttr>(value))
    return ConstantOp::create(builder, loc, elements);
  if (type.isIndex())
    return arith::ConstantOp::materialize(builder, value, type, loc);
  return nullptr;
}

//===----------------------------------------------------------------------===//
// DimsAttr
//===----------------------------------------------------------------------===//

static std::string textOf(ArrayRef<DimExpr> dims) {
  std::string text;
  for (const DimExpr &dim : dims)
    text += (text.empty() ? "" : ", ") + dim.str();
  return text;
}

DimsAttr DimsAttr::get(MLIRContext *context, ArrayRef<DimExpr> dims) {
  return get(context, StringRef(textOf(dims)));
}

DimShape DimsAttr::getDims() const {
  // The text is canonical; commas inside parentheses belong to calls.
  DimShape dims;
  StringRef text = getText();
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size() && !text.empty(); ++i) {
    if (i < text.size()) {
      depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
      if (text[i] != ',' || depth)
        continue;
    }
    if (std::optional<DimExpr> dim = DimExpr::parse(text.slice(begin, i)))
      dims.push_back(*dim);
    begin = i + 1;
  }
  return dims;
}

namespace {
/// The tokens of MLIR's attribute parser as the grammar wants them.
class AsmTokens : public DimTokens {
public:
  explicit AsmTokens(AsmParser &parser) : parser(parser) {}
  bool consume(char punctuation) override {
    switch (punctuation) {
    case '+':
      return succeeded(parser.parseOptionalPlus());
    case '-':
      return succeeded(parser.parseOptionalMinus());
    case '*':
      return succeeded(parser.parseOptionalStar());
    case '(':
      return succeeded(parser.parseOptionalLParen());
    case ')':
      return succeeded(parser.parseOptionalRParen());
    case ',':
      return succeeded(parser.parseOptionalComma());
    default:
      return false;
    }
  }
  std::optional<std::string> identifier() override {
    StringRef keyword;
    if (failed(parser.parseOptionalKeyword(&keyword)))
      return std::nullopt;
    return keyword.str();
  }
  std::optional<int64_t> integer() override {
    int64_t value;
    OptionalParseResult result = parser.parseOptionalInteger(value);
    if (!result.has_value() || failed(*result))
      return std::nullopt;
    return value;
  }

private:
  AsmParser &parser;
};
} // namespace

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  DimShape dims;
  if (succeeded(parser.parseOptionalGreater()))
    return get(parser.getContext(), dims);
  do {
    SMLoc loc = parser.getCurrentLocation();
    AsmTokens tokens(parser);
    std::optional<DimExpr> dim = parseDimExpr(tokens);
    if (!dim) {
      parser.emitError(loc, "expected a dimension expression");
      return {};
    }
    dims.push_back(*dim);
  } while (succeeded(parser.parseOptionalComma()));
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), dims);
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << '<' << getText() << '>';
}
