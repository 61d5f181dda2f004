//===- TileHintInterface.td - how a target likes ops cut ---*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_INTERFACES_TILEHINT
#define INGOT_INTERFACES_TILEHINT

include "mlir/IR/OpBase.td"

def TileHintInterface : OpInterface<"TileHintInterface"> {
  let cppNamespace = "::ingot";
  let description = [{
    How a target's kernel for an op likes its tiles. Targets attach it to the
    ops that they have kernels for; stage formation asks it and cuts all other
    ops by the bytes that a tile touches.
  }];
  let methods = [
    InterfaceMethod<"Tile sizes, one for each loop of the op's tiling domain; "
                    "0 leaves a loop whole.",
      "::llvm::SmallVector<int64_t>", "getPreferredTile", (ins)>,
    InterfaceMethod<"What the offsets of tiles are multiples of, one for each "
                    "loop; empty for any offset.",
      "::llvm::SmallVector<int64_t>", "getTileUnit", (ins), [{}],
      [{ return {}; }]>,
    InterfaceMethod<"Whether later tiles may cost more than earlier ones, as "
                    "those of queries that see more keys. Workers take turns "
                    "then.",
      "bool", "mayTilesGrow", (ins), [{}], [{ return false; }]>
  ];
}

#endif // INGOT_INTERFACES_TILEHINT
