// RUN: not ingot-opt %s '-ingot-choose-tiles=choices="product 4x4 of 32 bits=many"' 2>&1 | FileCheck %s
// RUN: not ingot-opt %s '-ingot-choose-tiles=choices="product 4x4 of 32 bits=8x16x"' 2>&1 | FileCheck %s

// CHECK: error: 'product 4x4 of 32 bits={{.*}}' is not SHAPE=TILE with a tile such as 64x32x1024
module {}
