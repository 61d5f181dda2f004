//===- IngotToMega.td - functions of stages to programs ----*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_CONVERSION_INGOTTOMEGA
#define INGOT_CONVERSION_INGOTTOMEGA

include "mlir/Pass/PassBase.td"

def ConvertIngotToMega : Pass<"convert-ingot-to-mega", "::mlir::ModuleOp"> {
  let summary = "Make programs of functions whose loops over tiles are stages";
  let description = [{
    Every public function over buffers becomes a `mega.program`, and every
    `scf.forall` at its top level a stage of one `mega.tiles`. What a tile does
    to memory from outside of it goes through `mega.access`: a subview becomes
    one of that part, anything else one of the whole buffer. An `scf.for` at the
    top level becomes a `mega.loop`.

    Example: `scf.forall (%i) = (0) to (%n) step (8) { ... }` becomes
    ```mlir
    mega.stage {
      mega.tiles (%i) in (%n) step (8) {
        %0 = mega.access read %x[%i] [8] [1] : ...
        ...
      }
    }
    ```
  }];
  let dependentDialects = ["::ingot::mega::MegaDialect"];
}

#endif // INGOT_CONVERSION_INGOTTOMEGA
