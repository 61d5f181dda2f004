// RUN: ingot-opt %s --ingot-vectorize-generic --split-input-file | FileCheck %s
// RUN: ingot-opt %s --ingot-vectorize-generic=target=x86-64-v4 --split-input-file | FileCheck %s --check-prefix=WIDE
// RUN: ingot-opt %s --ingot-vectorize-generic=target=aarch64 --split-input-file | FileCheck %s --check-prefix=NARROW
// RUN: not ingot-opt %s --ingot-vectorize-generic=target=z80 --split-input-file 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: unknown target CPU 'z80'

// Whole vectors, then single elements.
// CHECK-LABEL: func @scale
// CHECK-SAME: %[[A:.*]]: memref<?xf32>, %[[S:.*]]: memref<f32>, %[[B:.*]]: memref<?xf32>
func.func @scale(%a: memref<?xf32>, %s: memref<f32>, %b: memref<?xf32>) {
  // CHECK: %[[MASK:.*]] = arith.constant -16
  // CHECK: %[[FULL:.*]] = arith.andi %{{.*}}, %[[MASK]]
  // CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[FULL]]
  // CHECK-DAG: %[[X:.*]] = vector.load %[[A]][%[[I]]] : memref<?xf32>, vector<16xf32>
  // CHECK-DAG: %[[Y:.*]] = memref.load %[[S]][]
  // CHECK: %[[W:.*]] = vector.broadcast %[[Y]] : f32 to vector<16xf32>
  // CHECK: %[[R:.*]] = arith.mulf %[[X]], %[[W]] : vector<16xf32>
  // CHECK: vector.store %[[R]], %[[B]][%[[I]]]
  // CHECK: scf.for %{{.*}} = %[[FULL]] to
  // CHECK: arith.mulf {{.*}} : f32
  // CHECK-NOT: linalg.generic
  linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%a, %s : memref<?xf32>, memref<f32>) outs(%b : memref<?xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A sum along rows: partial sums in lanes, folded by halves.
// CHECK-LABEL: func @row_sum
func.func @row_sum(%a: memref<?x64xf32>, %b: memref<?xf32>) {
  // CHECK: arith.constant dense<-0.000000e+00> : vector<16xf32>
  // CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>)
  // CHECK: vector.load
  // CHECK: vector.shuffle {{.*}}[0, 1, 2, 3, 4, 5, 6, 7]
  // CHECK: vector.shuffle {{.*}}[8, 9, 10, 11, 12, 13, 14, 15]
  // CHECK: memref.store
  linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<?x64xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = arith.addf %z, %x : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A known extent that vectors divide has no scalar loop.
// CHECK-LABEL: func @copy
func.func @copy(%a: memref<32xf32, strided<[1], offset: ?>>, %b: memref<32xf32>) {
  // CHECK: scf.for
  // CHECK-NOT: scf.for
  // CHECK-NOT: memref.copy
  // CHECK: return
  memref.copy %a, %b : memref<32xf32, strided<[1], offset: ?>> to memref<32xf32>
  return
}

// -----

// An element type that vectors pack differently stays scalar.
// CHECK-LABEL: func @bits
func.func @bits(%a: memref<?xi1>, %b: memref<?xi1>) {
  // CHECK-NOT: vector.load
  // CHECK: memref.load
  linalg.copy ins(%a : memref<?xi1>) outs(%b : memref<?xi1>)
  return
}

// -----

// A table row is read as a vector though the body computes its index.
// CHECK-LABEL: func @embed
func.func @embed(%t: memref<?x?xf32>, %ids: memref<?xi64>, %c: memref<?x?xf32>) {
  // CHECK: vector.load {{.*}} : memref<?x?xf32>, vector<16xf32>
  // CHECK: vector.store
  linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%ids : memref<?xi64>) outs(%c : memref<?x?xf32>) {
  ^bb0(%id: i64, %z: f32):
    %r = arith.index_cast %id : i64 to index
    %j = linalg.index 1 : index
    %v = memref.load %t[%r, %j] : memref<?x?xf32>
    linalg.yield %v : f32
  }
  return
}

// -----

// A function takes many registers: a vector is one register then. The partial
// results of a reduction are as many on every CPU.
// CHECK-LABEL: func @heavy
// CHECK: math.exp {{.*}} : vector<8xf32>
// CHECK: vector.load {{.*}} : memref<?xf32>, vector<16xf32>
// WIDE-LABEL: func @heavy
// WIDE: math.exp {{.*}} : vector<16xf32>
// WIDE: vector.load {{.*}} : memref<?xf32>, vector<16xf32>
// NARROW-LABEL: func @heavy
// NARROW: math.exp {{.*}} : vector<4xf32>
// NARROW: vector.load {{.*}} : memref<?xf32>, vector<16xf32>
func.func @heavy(%a: memref<?xf32>, %b: memref<?xf32>, %s: memref<f32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = math.exp %x : f32
    linalg.yield %0 : f32
  }
  linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
      iterator_types = ["reduction"]}
      ins(%a : memref<?xf32>) outs(%s : memref<f32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = math.exp %x : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
