//===- MegaBase.td - the mega dialect ----------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef MEGA_BASE
#define MEGA_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ValueBoundsOpInterface.td"
include "mlir/Interfaces/ViewLikeInterface.td"

def Mega_Dialect : Dialect {
  let name = "mega";
  let cppNamespace = "::ingot::mega";
  let summary = "Whole-model programs: stages of tiles over buffers";
  let description = [{
    A program is run by a team of workers, each of which runs all of it: a
    thread on a CPU, a thread block on a GPU. It is a sequence of stages, and of
    loops over sequences of stages. A stage is a set of independent tiles that
    are dealt to the workers, with a prologue of tiles that every worker may run
    for itself; everything between the stages is computed by each worker for
    itself. Workers meet where `mega.barrier` says so and nowhere else.

    A tile touches memory from outside of its stage through `mega.access` alone,
    so that what a stage reads and writes, and which part of it for which tile,
    stands in the program.

    ```mlir
    mega.program @main(%x: memref<?x64xf32> {ingot.role = "input"},
                       %y: memref<?x64xf32> {ingot.role = "output"}) {
      %n = memref.dim %x, %c0 : memref<?x64xf32>
      mega.stage {
        mega.tiles (%i) in (%n) step (8) {
          %size = affine.min affine_map<(i)[n] -> (8, n - i)>(%i)[%n]
          %from = mega.access read %x[%i, 0] [%size, 64] [1, 1] : ...
          %to = mega.access write %t[%i, 0] [%size, 64] [1, 1] : ...
          linalg.exp ins(%from : ...) outs(%to : ...)
        }
      }
      mega.barrier
      mega.stage { ... }
      mega.return %n : index
    }
    ```
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

class Mega_Op<string mnemonic, list<Trait> traits = []>
    : Op<Mega_Dialect, mnemonic, traits>;

#endif // MEGA_BASE
