//===- MegaOps.td - whole-model programs -------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef MEGA_OPS
#define MEGA_OPS

include "dialects/Mega/IR/MegaBase.td"

def Mega_ProgramOp : Mega_Op<"program", [
    AffineScope, AutomaticAllocationScope, FunctionOpInterface,
    IsolatedFromAbove, SingleBlock, Symbol
  ]> {
  let summary = "The program that every worker of a team runs";
  let description = [{
    Arguments are buffers, states and numbers; what each is stands in its
    attribute `ingot.role`. The body holds stages, barriers, and ops that each
    worker runs for itself: it computes sizes, makes views, reads single
    elements and checks them. Results are the dims of the outputs, and the size
    of the arena once memory is planned.

    ```mlir
    mega.program @main(%n: index) -> index {
      mega.return %n : index
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrAttr>:$sym_visibility,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name,
                                 "::mlir::FunctionType":$type)>];
  let extraClassDeclaration = [{
    /// The ops that every worker runs in order.
    ::mlir::Block &getProgram() { return getBody().front(); }

    //===------------------------------------------------------------------===//
    // FunctionOpInterface
    //===------------------------------------------------------------------===//

    ::mlir::Region *getCallableRegion() { return &getBody(); }
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() {
      return getFunctionType().getInputs();
    }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() {
      return getFunctionType().getResults();
    }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def Mega_ReturnOp : Mega_Op<"return", [
    HasParent<"ProgramOp">, Pure, ReturnLike, Terminator
  ]> {
  let summary = "Ends a program";
  let description = [{
    ```mlir
    mega.return %batch, %seq : index, index
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let hasVerifier = 1;
}

def Mega_LoopOp : Mega_Op<"loop", [
    AffineScope, HasParent<"ProgramOp">, NoTerminator, RecursiveMemoryEffects,
    SingleBlock
  ]> {
  let summary = "Parts of a program that follow each other and differ in what they read";
  let description = [{
    Every worker runs the body `count` times, with the numbers from 0 on. The
    body is what a program's is. There are no results: what one time leaves for
    the next stands in a buffer from outside of the loop, and a buffer that is
    allocated inside is another one each time. What differs from time to time is
    the view that the number picks of a family of weights, and the cache.

    ```mlir
    mega.loop %i = 0 to 30 {
      %at = arith.muli %i, %c41472 : index
      %w = memref.view %family[%at][] : memref<1244160xi8> to memref<36x18x4x16xi32>
      mega.stage { ... read %x ... read %w ... write %t ... }
      mega.barrier
      mega.stage { ... read %t ... write %x ... }
      mega.barrier
    }
    ```
  }];
  let arguments = (ins I64Attr:$count);
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins "int64_t":$count)>];
  let skipDefaultBuilders = 1;
  let extraClassDeclaration = [{
    /// The number of the time at hand.
    ::mlir::BlockArgument getNumber() { return getBody().getArgument(0); }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Mega_StageOp : Mega_Op<"stage", [
    AttrSizedOperandSegments, NoRegionArguments, NoTerminator,
    ParentOneOf<["ProgramOp", "LoopOp"]>, RecursiveMemoryEffects, SingleBlock
  ]> {
  let summary = "Tiles that do not depend on each other";
  let description = [{
    Holds one or more `mega.tiles`, whose tiles are dealt to the workers
    together: a worker that has done its part of the first goes on with the
    second. No tile writes what another one touches.

    ```mlir
    mega.stage {
      mega.tiles (%i, %j) in (%n, 384) step (24, 64) { ... }
      mega.tiles (%i, %j) in (%n, 128) step (24, 64) { ... }
    }
    ```

    With `each`, where the condition holds nothing is dealt: every worker runs
    all tiles for itself. They write buffers of `mega.alloc_each` under the same
    condition, which each worker then has its own of, so that nobody waits for
    them. The condition is the same for all workers. A worker may be spared what
    it would compute for no tile of its own.

    ```mlir
    %few = arith.cmpi ule, %n, %c24 : index
    %own = mega.alloc_each %few(%n) : memref<?xf32>
    mega.stage each %few { ... }
    mega.barrier unless %few
    ```

    With `prologue`, steps come before its tiles, in order. Each is what a stage
    with `each` is: where its condition holds every worker runs all of its tiles
    for itself, into buffers of its own, where it does not they are dealt. Its
    last op may be a `mega.barrier`. Nothing else stands between a prologue and
    what follows: a worker that is done with its part, and has waited where the
    barrier says so, goes on with the next step, and from the last prologue to
    the tiles of the stage. No tile writes what another one of its step touches.
    Where one step reads what another writes, or writes what it touches, either
    each worker has its own or the barrier between makes all of them wait.

    ```mlir
    mega.stage prologue each %few {
      mega.tiles (%i) in (%n) step (24) { ... write %own ... }
      mega.barrier unless %few
    } {
      mega.tiles (%i, %j) in (%n, 384) step (24, 64) { ... read %own ... }
    }
    ```
  }];
  let arguments = (ins Variadic<I1>:$conditions, Optional<I1>:$each);
  let regions = (region SizedRegion<1>:$body,
                        VariadicRegion<SizedRegion<1>>:$prologues);
  let builders = [
    // With an empty block for each condition's prologue, and one to follow.
    OpBuilder<(ins CArg<"::mlir::ValueRange", "{}">:$conditions,
                   CArg<"::mlir::Value", "{}">:$each)>
  ];
  let skipDefaultBuilders = 1;
  let assemblyFormat = [{
    `` custom<Prologues>($conditions, $prologues) (`each` $each^)?
    attr-dict-with-keyword $body
  }];
  let extraClassDeclaration = [{
    /// Its `mega.tiles`, in order, without those of prologues.
    auto getTiles() { return getBody().front().getOps<TilesOp>(); }
    /// Its prologues and what follows them.
    ::llvm::SmallVector<StageStep> getSteps();
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Mega_TilesOp : Mega_Op<"tiles", [
    AttrSizedOperandSegments, NoTerminator,
    ParentOneOf<["StageOp", "PrefetchOp"]>, RecursiveMemoryEffects, SingleBlock,
    DeclareOpInterfaceMethods<ValueBoundsOpInterface,
                              ["populateBoundsForIndexValue"]>
  ]> {
  let summary = "The tiles of one index space, and the work of one tile";
  let description = [{
    One tile for each multiple of the steps below the extents; the arguments of
    the body are where the tile begins. Memory from outside of the stage is
    touched through `mega.access`. State that is no buffer (a cache) is touched
    by its handle.

    ```mlir
    mega.tiles (%i, %j) in (%n, 384) step (24, 64) {
      %x = mega.access read %input[%i, 0] [%rows, 128] [1, 1] : ...
      ...
    }
    ```
  }];
  let arguments = (ins Variadic<Index>:$extents, Variadic<Index>:$steps,
                       DenseI64ArrayAttr:$static_extents,
                       DenseI64ArrayAttr:$static_steps);
  let regions = (region SizedRegion<1>:$body);
  let builders = [
    OpBuilder<(ins "::llvm::ArrayRef<::mlir::OpFoldResult>":$extents,
                   "::llvm::ArrayRef<::mlir::OpFoldResult>":$steps)>
  ];
  let skipDefaultBuilders = 1;
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedExtents();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSteps();
    /// Where the tile at hand begins.
    ::mlir::Block::BlockArgListType getOrigin() {
      return getBody().front().getArguments();
    }
    int64_t getRank() { return getStaticExtents().size(); }
    /// True if `value` is made inside of the tile.
    bool isInside(::mlir::Value value) {
      return (*this)->isAncestor(
          value.getParentRegion()->getParentOp());
    }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Mega_AccessMode : I32EnumAttr<"AccessMode", "what a tile does to memory", [
    I32EnumAttrCase<"Read", 1, "read">,
    I32EnumAttrCase<"Write", 2, "write">,
    I32EnumAttrCase<"ReadWrite", 3, "update">
  ]> {
  let cppNamespace = "::ingot::mega";
  let genSpecializedAttr = 0;
}
def Mega_AccessModeAttr : EnumAttr<Mega_Dialect, Mega_AccessMode, "mode">;

def Mega_AccessOp : Mega_Op<"access", [
    AttrSizedOperandSegments, Pure,
    DeclareOpInterfaceMethods<ViewLikeOpInterface>
  ]> {
  let summary = "The part of a buffer that a tile touches";
  let description = [{
    A view of a buffer from outside of the stage, and whether the tile reads it,
    writes it, or does both (`update`). Offsets, sizes and strides are those of
    `memref.subview`, dims of size 1 may be dropped; without them it is the whole
    buffer. What is written is written by no other tile of the stage.

    ```mlir
    %0 = mega.access read %x[%i, 0] [24, 64] [1, 1]
      : memref<?x64xf32> to memref<24x64xf32, strided<[64, 1], offset: ?>>
    %1 = mega.access read %bias : memref<64xf32> to memref<64xf32>
    ```
  }];
  let arguments = (ins Mega_AccessModeAttr:$mode, AnyMemRef:$source,
                       Variadic<Index>:$offsets, Variadic<Index>:$sizes,
                       Variadic<Index>:$strides,
                       DenseI64ArrayAttr:$static_offsets,
                       DenseI64ArrayAttr:$static_sizes,
                       DenseI64ArrayAttr:$static_strides);
  let results = (outs AnyMemRef:$result);
  let builders = [
    // The whole buffer.
    OpBuilder<(ins "AccessMode":$mode, "::mlir::Value":$source)>,
    // The part that a subview of it is.
    OpBuilder<(ins "AccessMode":$mode, "::mlir::memref::SubViewOp":$view)>
  ];
  let assemblyFormat = [{
    `` $mode $source ``
    custom<AccessPart>($offsets, $static_offsets, $sizes, $static_sizes,
                       $strides, $static_strides)
    attr-dict `:` type($source) `to` type($result)
  }];
  let extraClassDeclaration = [{
    /// True if it is all of the buffer.
    bool isWhole() { return getStaticOffsets().empty(); }
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedOffsets();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSizes();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedStrides();
    bool mayRead() { return uint32_t(getMode()) & uint32_t(AccessMode::Read); }
    bool mayWrite() {
      return uint32_t(getMode()) & uint32_t(AccessMode::Write);
    }
  }];
  let hasVerifier = 1;
}

def Mega_ScratchOp : Mega_Op<"scratch", [AttrSizedOperandSegments, Pure]> {
  let summary = "Memory of the worker that asks";
  let description = [{
    A view of the arena at a byte offset that differs from worker to worker.
    Inside of a tile no other worker touches it, and the tile finds nothing in
    it. Outside, it is what became of a `mega.alloc_each`: the worker's own where
    the condition holds. Offset and sizes are those of `memref.view`.

    ```mlir
    %0 = mega.scratch %arena[%offset][%n] : memref<?xi8> to memref<?x64xf32>
    %1 = mega.scratch %arena[%own][] each %few : memref<?xi8> to memref<64xf32>
    ```
  }];
  let arguments = (ins AnyMemRef:$arena, Index:$offset,
                       Variadic<Index>:$sizes, Optional<I1>:$each);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $arena `[` $offset `]` `` `[` $sizes `]` (`each` $each^)? attr-dict
    `:` type($arena) `to` type($result)
  }];
  let hasVerifier = 1;
}

def Mega_AllocEachOp : Mega_Op<"alloc_each", [
    ParentOneOf<["ProgramOp", "LoopOp"]>
  ]> {
  let summary = "Makes a buffer, one for each worker where a condition holds";
  let description = [{
    Where the condition holds, the result is another memory for each worker, and
    what one writes the others do not see; where it does not, it is one buffer
    for all, as of `memref.alloc`. The condition is the same for all workers.

    ```mlir
    %own = mega.alloc_each %few(%n) : memref<?x64xf32>
    ```
  }];
  let arguments = (ins I1:$condition, Variadic<Index>:$dynamicSizes);
  let results = (outs Res<AnyMemRef, "", [MemAlloc<DefaultResource>]>:$result);
  let assemblyFormat = [{
    $condition `` `(` $dynamicSizes `)` attr-dict `:` type($result)
  }];
  let extraClassDeclaration = [{
    ::mlir::MemRefType getType() {
      return ::llvm::cast<::mlir::MemRefType>(getResult().getType());
    }
  }];
  let hasVerifier = 1;
}

def Mega_BarrierOp : Mega_Op<"barrier", [
    AttrSizedOperandSegments, ParentOneOf<["ProgramOp", "LoopOp", "StageOp"]>,
    MemoryEffects<[MemRead, MemWrite]>
  ]> {
  let summary = "Waits until every worker is here that had something to do";
  let description = [{
    What was written before it is seen by every worker after it. A run that was
    stopped ends here. With `unless`, nobody waits where the condition holds,
    which is the same for all workers. It stands between stages, or at the end
    of a prologue.

    With `of`, all wait for so many workers, those of the first numbers. Only
    they tell the others that they are here: whoever has had nothing to do since
    the last barrier has done nothing that others wait for. It is the same number
    for all workers, and at most all. `mega-outline-tiles` counts it.

    ```mlir
    mega.barrier
    mega.barrier unless %few
    mega.barrier of %busy unless %few
    ```
  }];
  let arguments = (ins Optional<Index>:$busy, Optional<I1>:$unless);
  let builders = [OpBuilder<(ins "::mlir::Value":$unless)>];
  let skipDefaultBuilders = 1;
  let assemblyFormat = "(`of` $busy^)? (`unless` $unless^)? attr-dict";
}

def Mega_PrefetchOp : Mega_Op<"prefetch", [
    NoRegionArguments, NoTerminator, ParentOneOf<["ProgramOp", "LoopOp"]>,
    RecursiveMemoryEffects, SingleBlock
  ]> {
  let summary = "Brings what a worker's first tile of a later stage reads near it";
  let description = [{
    Holds the index spaces of that stage, which are dealt as the stage's are. Of
    the tile that a worker is dealt first it does what `mega.fetch` says; it may
    be left out, or happen at any time until the next barrier. What is fetched is
    memory that the program never writes, so that no order is asked for.

    Where it stands in front of a barrier it happens there, after the worker has
    told the others that it has arrived, and only if it has to wait for them.

    ```mlir
    mega.prefetch {
      mega.tiles (%i, %j) in (%n, 36) step (24, 4) {
        %w = mega.access read %weights[%j, 0, 0] [4, 576, 16] [1, 1, 1] : ...
        mega.fetch first 4096 of %w : memref<4x576x16xf32, ...>
      }
    }
    mega.barrier
    mega.stage { ... read %weights ... }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins)>];
  let skipDefaultBuilders = 1;
  let assemblyFormat = "attr-dict-with-keyword $body";
  let extraClassDeclaration = [{
    /// Its `mega.tiles`, in order.
    auto getTiles() { return getBody().front().getOps<TilesOp>(); }
  }];
  let hasRegionVerifier = 1;
}

def Mega_FetchOp : Mega_Op<"fetch", [
    HasParent<"TilesOp">, MemoryEffects<[MemRead, MemWrite]>
  ]> {
  let summary = "Brings the beginning of a buffer into the worker's cache";
  let description = [{
    So many bytes at most, and no more than follow each other without a gap.
    Nothing is read into a value, and nothing changes but how long later reads
    take. It stands in the tiles of `mega.prefetch`.

    ```mlir
    mega.fetch first 4096 of %w : memref<4x576x16xf32, strided<[9216, 16, 1], offset: ?>>
    ```
  }];
  let arguments = (ins AnyMemRef:$source, I64Attr:$bytes);
  let assemblyFormat = "`first` $bytes `of` $source attr-dict `:` type($source)";
  let hasVerifier = 1;
}

// Their code is generated apart: few files know programs that call programs, or
// counters.
#ifndef MEGA_OPS_ALONE
include "dialects/Mega/IR/CallOps.td"
include "dialects/Mega/IR/CounterOps.td"
#endif

#endif // MEGA_OPS
