//===- IngotBase.td - dialect, attributes, op bases --------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_BASE
#define INGOT_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"
include "dialects/Ingot/IR/IngotInterfaces.td"

def Ingot_Dialect : Dialect {
  let name = "ingot";
  let cppNamespace = "::ingot";
  let summary = "Transformer graphs whose values are tensors";
  let description = [{
    One op per concept of a transformer, in the field's words. Values are ranked
    tensors. Dimensions known only at run time are `?` in types; what they are
    is an expression over named symbols (`ingot.dim`), computed by the ops'
    ShapeInference interface and never stored in types.

    Most ops are in value form and infer their result type. The structured ops
    (`linear`, `matmul`, `attention`, the norms, `softmax`) are in destination
    style, because stage formation tiles them; their builders make the
    destination. After bufferization the same ops work on memrefs.

    Unsigned integers are `uiN`, booleans `i1`, signed integers signless `iN`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect",
    "::mlir::affine::AffineDialect"
  ];
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Ingot_Attr<string name, string attrMnemonic> : AttrDef<Ingot_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Ingot_DimsAttr : Ingot_Attr<"Dims", "dims"> {
  let summary = "A list of dimension expressions";
  let description = [{
    Expressions over the symbols that `ingot.dim` declares, in normal form:

    ```mlir
    #ingot.dims<batch, 12, seq * 2 + 1>
    ```
  }];
  let parameters = (ins StringRefParameter<"canonical text">:$text);
  let builders = [
    AttrBuilder<(ins "::llvm::ArrayRef<::ingot::DimExpr>":$dims)>
  ];
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// The expressions.
    ::ingot::DimShape getDims() const;
  }];
}

class Ingot_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::ingot";
  let genSpecializedAttr = 0;
}
class Ingot_EnumAttr<I32EnumAttr info, string mnemonic>
    : EnumAttr<Ingot_Dialect, info, mnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def Ingot_GeluKind : Ingot_Enum<"GeluKind", "how gelu is computed", [
  I32EnumAttrCase<"Erf", 0, "erf">, I32EnumAttrCase<"Tanh", 1, "tanh">]>;
def Ingot_GeluKindAttr : Ingot_EnumAttr<Ingot_GeluKind, "gelu">;

def Ingot_DeadRow : Ingot_Enum<"DeadRow",
    "what an attention row means whose keys are all masked", [
  I32EnumAttrCase<"Zero", 0, "zero">, I32EnumAttrCase<"Uniform", 1, "uniform">,
  I32EnumAttrCase<"NaN", 2, "nan">]>;
def Ingot_DeadRowAttr : Ingot_EnumAttr<Ingot_DeadRow, "dead_row">;

def Ingot_CacheSide : Ingot_Enum<"CacheSide", "which of a cache's two parts", [
  I32EnumAttrCase<"Keys", 0, "keys">, I32EnumAttrCase<"Values", 1, "values">]>;
def Ingot_CacheSideAttr : Ingot_EnumAttr<Ingot_CacheSide, "cache_side">;

def Ingot_ReduceKind : Ingot_Enum<"ReduceKind", "what a reduction computes", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Prod", 1, "prod">,
  I32EnumAttrCase<"Max", 2, "max">, I32EnumAttrCase<"Min", 3, "min">,
  I32EnumAttrCase<"Mean", 4, "mean">, I32EnumAttrCase<"L1", 5, "l1">,
  I32EnumAttrCase<"L2", 6, "l2">, I32EnumAttrCase<"LogSum", 7, "log_sum">,
  I32EnumAttrCase<"LogSumExp", 8, "log_sum_exp">,
  I32EnumAttrCase<"SumSquare", 9, "sum_square">]>;
def Ingot_ReduceKindAttr : Ingot_EnumAttr<Ingot_ReduceKind, "reduction">;

def Ingot_ScatterKind : Ingot_Enum<"ScatterKind", "how a scatter combines", [
  I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Add", 1, "add">,
  I32EnumAttrCase<"Mul", 2, "mul">, I32EnumAttrCase<"Max", 3, "max">,
  I32EnumAttrCase<"Min", 4, "min">]>;
def Ingot_ScatterKindAttr : Ingot_EnumAttr<Ingot_ScatterKind, "scatter">;

def Ingot_PadMode : Ingot_Enum<"PadMode", "what padding is filled with", [
  I32EnumAttrCase<"Constant", 0, "constant">,
  I32EnumAttrCase<"Reflect", 1, "reflect">, I32EnumAttrCase<"Edge", 2, "edge">,
  I32EnumAttrCase<"Wrap", 3, "wrap">]>;
def Ingot_PadModeAttr : Ingot_EnumAttr<Ingot_PadMode, "pad">;

def Ingot_PoolKind : Ingot_Enum<"PoolKind", "what a pooling window computes", [
  I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Average", 1, "average">,
  I32EnumAttrCase<"Lp", 2, "lp">]>;
def Ingot_PoolKindAttr : Ingot_EnumAttr<Ingot_PoolKind, "pool">;

//===----------------------------------------------------------------------===//
// Op bases
//===----------------------------------------------------------------------===//

class Ingot_Op<string mnemonic, list<Trait> traits = []>
    : Op<Ingot_Dialect, mnemonic, traits>;

/// A pure op on tensors with one result, whose type is inferred. The shape is
/// computed once, by `inferShapes` over dimension expressions; types, reified
/// dims and the shape analysis all come from it.
class Ingot_ValueOp<string mnemonic, list<Trait> traits = []>
    : Ingot_Op<mnemonic, !listconcat(traits, [
        Pure, DeclareOpInterfaceMethods<InferTypeOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<ShapeInferenceInterface>, CostInterface])> {
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";

  /// C++ of the result's element type, from `adaptor`.
  string elementType = "elementTypeOf(adaptor.getOperands()[0])";
  /// C++ of the result's dims, from `adaptor` and `shapes`; when empty the op
  /// defines inferShapes in its .cpp.
  code shape = "";

  /// C++ declarations that an op adds.
  code moreDeclarations = "";

  let extraClassDeclaration = [{
    static ::llvm::FailureOr<::ingot::DimShape>
    inferShape(Adaptor adaptor, ::llvm::ArrayRef<::ingot::DimShape> shapes);
    static ::mlir::Type inferElementType(Adaptor adaptor);
    static bool isCompatibleReturnTypes(::mlir::TypeRange a, ::mlir::TypeRange b);
  }] # moreDeclarations;
  let extraClassDefinition = !if(!empty(shape), "", [{
    ::llvm::FailureOr<::ingot::DimShape> $cppClass::inferShape(
        Adaptor adaptor, ::llvm::ArrayRef<::ingot::DimShape> shapes) {
      }] # shape # [{
    }
  }]) # [{
    ::mlir::Type $cppClass::inferElementType(Adaptor adaptor) {
      return }] # elementType # [{;
    }
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> location,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr attributes,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      Adaptor adaptor(operands, attributes, properties, regions);
      ::llvm::FailureOr<::ingot::DimShape> shape =
          inferShape(adaptor, ::ingot::opaqueShapes(operands));
      if (::mlir::failed(shape))
        return ::mlir::emitOptionalError(location, "'", getOperationName(),
            "' op operand shapes and attributes do not fit together");
      types.push_back(::ingot::tensorOf(*shape, inferElementType(adaptor)));
      return ::mlir::success();
    }
    bool $cppClass::isCompatibleReturnTypes(::mlir::TypeRange a, ::mlir::TypeRange b) {
      return ::ingot::compatibleTypes(a, b);
    }
    ::llvm::LogicalResult $cppClass::inferShapes(
        ::llvm::ArrayRef<::ingot::DimShape> shapes,
        ::llvm::SmallVectorImpl<::ingot::DimShape> &results) {
      ::llvm::FailureOr<::ingot::DimShape> shape = inferShape(Adaptor(*this), shapes);
      if (::mlir::failed(shape))
        return ::mlir::failure();
      results.push_back(*shape);
      return ::mlir::success();
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &dims) {
      return ::ingot::reifyByInference(getOperation(), builder, dims);
    }
  }];
}

#endif
