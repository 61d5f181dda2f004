//===- CallOps.td - programs that run other programs -------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef CALL_OPS
#define CALL_OPS

include "dialects/Mega/IR/MegaBase.td"

def Mega_UntilOp : Mega_Op<"until", [
    ParentOneOf<["ProgramOp", "LoopOp"]>,
    MemoryEffects<[MemRead, MemWrite]>
  ]> {
  let summary = "Ends a loop where a condition holds";
  let description = [{
    Where the condition holds, which is the same for all workers, what is behind
    the loop is next; outside of a loop (in one that was written out by
    `mega-unroll-loops`), the end of the program. A loop with it runs at most as
    often as it says.

    ```mlir
    mega.loop %turn = 0 to 9223372036854775807 {
      mega.call @sample(%logits, %history) to (%token) : ...
      mega.barrier
      mega.single { ... }
      mega.barrier
      %state = memref.load %progress[%c0] : memref<4xi64>
      %is_over = arith.cmpi ne, %state, %zero : i64
      mega.until %is_over
      mega.call @decode(%tokens, %past) to (%logits) : ...
      mega.barrier
    }
    ```
  }];
  let arguments = (ins I1:$condition);
  let assemblyFormat = "$condition attr-dict";
}

def Mega_CallOp : Mega_Op<"call", [
    AttrSizedOperandSegments, ParentOneOf<["ProgramOp", "LoopOp"]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>
  ]> {
  let summary = "Runs another program of the module";
  let description = [{
    All workers run the program together. The inputs are read and the outputs
    written, as if by a stage of unknown tiles; caches and weights are those of
    the callee. Sizes and arena of the callee come with the run: of calls in the
    order of the program, the i-th gets those of number i.

    What is given are arguments of the caller, each dense and with the elements
    of the callee's argument; it may have another shape.

    ```mlir
    mega.call @decode(%tokens, %past, %count) to (%logits)
      : memref<1x1xi64>, memref<1xi64>, memref<1xi64> to memref<1x32xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee,
                       Arg<Variadic<AnyMemRef>, "", [MemRead]>:$inputs,
                       Arg<Variadic<AnyMemRef>, "", [MemWrite]>:$outputs);
  let assemblyFormat = [{
    $callee `(` $inputs `)` `to` `(` $outputs `)` attr-dict
    `:` type($inputs) `to` type($outputs)
  }];
}

def Mega_SingleOp : Mega_Op<"single", [
    ParentOneOf<["ProgramOp", "LoopOp"]>, NoRegionArguments, NoTerminator,
    RecursiveMemoryEffects, SingleBlock
  ]> {
  let summary = "What worker 0 does alone";
  let description = [{
    Small things between the stages that are no work to share: the body may
    read and write buffers of the program element by element.

    ```mlir
    mega.single {
      %id = memref.load %token[%c0] : memref<2xi64>
      memref.store %id, %tokens[%c0, %c0] : memref<1x1xi64>
      %is_enough = mega.tell %id
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins)>];
  let skipDefaultBuilders = 1;
  let assemblyFormat = "attr-dict-with-keyword $body";
}

def Mega_TellOp : Mega_Op<"tell", [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>
  ]> {
  let summary = "Hands a number to the host while the program runs";
  let description = [{
    The result says whether the host wants no more. The host touches no buffer
    of the program meanwhile. Inside of a `mega.single` only.

    ```mlir
    %is_enough = mega.tell %id
    ```
  }];
  let arguments = (ins I64:$number);
  let results = (outs I1:$isEnough);
  let assemblyFormat = "$number attr-dict";
  let hasVerifier = 1;
}

#endif // CALL_OPS
