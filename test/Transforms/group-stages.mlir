// RUN: ingot-opt %s -split-input-file -ingot-group-stages | FileCheck %s

// Two readers of one buffer do not wait for each other; what reads both does.
// CHECK-LABEL: func @readers(
// CHECK: memref.store %{{.*}}, %{{.*}}[%{{.*}}]
// CHECK-NEXT: }
// CHECK-NEXT: scf.forall
// CHECK: } {ingot.joins}
// CHECK-NEXT: scf.forall
// CHECK-NOT: ingot.joins
func.func @readers(%x: memref<?xf32>, %a: memref<?xf32>, %b: memref<?xf32>, %n: index) {
  scf.forall (%i) = (0) to (%n) step (8) {
    %0 = memref.load %x[%i] : memref<?xf32>
    memref.store %0, %a[%i] : memref<?xf32>
  }
  scf.forall (%i) = (0) to (%n) step (8) {
    %0 = memref.load %x[%i] : memref<?xf32>
    memref.store %0, %b[%i] : memref<?xf32>
  }
  scf.forall (%i) = (0) to (%n) step (8) {
    %0 = memref.load %a[%i] : memref<?xf32>
    %1 = memref.load %b[%i] : memref<?xf32>
    %2 = arith.addf %0, %1 : f32
    memref.store %2, %a[%i] : memref<?xf32>
  }
  return
}

// -----

// The third stage writes what the first reads, though the second does not.
// CHECK-LABEL: func @write_after_read(
// CHECK-COUNT-1: ingot.joins
// CHECK-NOT: ingot.joins
func.func @write_after_read(%x: memref<?xf32>, %a: memref<?xf32>, %b: memref<?xf32>, %n: index) {
  %f = arith.constant 1.0 : f32
  scf.forall (%i) = (0) to (%n) step (8) {
    %0 = memref.load %x[%i] : memref<?xf32>
    memref.store %0, %a[%i] : memref<?xf32>
  }
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %b[%i] : memref<?xf32>
  }
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// Halves of one buffer, seen through views, are told apart; a part of unknown
// place is not.
// CHECK-LABEL: func @parts(
// CHECK: scf.forall
// CHECK: scf.forall
// CHECK: } {ingot.joins}
// CHECK: scf.forall
// CHECK-NOT: ingot.joins
func.func @parts(%x: memref<4x64xf32>, %at: index) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %low = memref.subview %x[0, 0] [4, 32] [1, 1]
    : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1]>>
  %high = memref.subview %x[0, 32] [4, 32] [1, 1]
    : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1], offset: 32>>
  %any = memref.subview %x[0, %at] [4, 32] [1, 1]
    : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1], offset: ?>>
  scf.forall (%i) in (4) {
    %row = memref.subview %low[%i, 0] [1, 32] [1, 1]
      : memref<4x32xf32, strided<[64, 1]>> to memref<1x32xf32, strided<[64, 1], offset: ?>>
    memref.store %f, %row[%c0, %c0] : memref<1x32xf32, strided<[64, 1], offset: ?>>
  }
  scf.forall (%i) in (4) {
    memref.store %f, %high[%i, %c0] : memref<4x32xf32, strided<[64, 1], offset: 32>>
  }
  scf.forall (%i) in (4) {
    memref.store %f, %any[%i, %c0] : memref<4x32xf32, strided<[64, 1], offset: ?>>
  }
  return
}

// -----

// What follows a check may rely on it, whatever it touches.
// CHECK-LABEL: func @checked(
// CHECK-NOT: ingot.joins
func.func @checked(%x: memref<?xi64>, %a: memref<?xf32>, %n: index) {
  %f = arith.constant 1.0 : f32
  %zero = arith.constant 0 : i64
  scf.forall (%i) = (0) to (%n) step (8) {
    %0 = memref.load %x[%i] : memref<?xi64>
    %1 = arith.cmpi sge, %0, %zero : i64
    ingot.check %1, "index out of range"
  }
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %a[%i] : memref<?xf32>
  }
  return
}

// -----

// A part of a cache is the cache.
!cache = !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 0>
!head = !ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>
// CHECK-LABEL: func @caches(
// CHECK-NOT: ingot.joins
func.func @caches(%k: memref<1x1x2x4xf32>, %past: memref<1xi64>, %count: memref<1xi64>,
                  %q: memref<1x1x1x4xf32>, %out: memref<1x1x1x4xf32>, %cache: !cache) {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (1) {
    ingot.kv_append ins(%k, %k : memref<1x1x2x4xf32>, memref<1x1x2x4xf32>)
      past(%past : memref<1xi64>) count(%count : memref<1xi64>) into(%cache : !cache)
  }
  scf.forall (%i) in (1) {
    %head = ingot.cache_part %cache[%c0, %i] : !cache to !head
    ingot.paged_attention ins(%q : memref<1x1x1x4xf32>) past(%past : memref<1xi64>)
      count(%count : memref<1xi64>) cache(%head : !head)
      outs(%out : memref<1x1x1x4xf32>) {scale = 1.0 : f64}
  }
  return
}

// -----

// A call may touch anything.
func.func private @unknown()
// CHECK-LABEL: func @calls(
// CHECK-NOT: ingot.joins
func.func @calls(%a: memref<?xf32>, %b: memref<?xf32>, %n: index) {
  %f = arith.constant 1.0 : f32
  scf.forall (%i) = (0) to (%n) step (8) {
    func.call @unknown() : () -> ()
  }
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %a[%i] : memref<?xf32>
  }
  return
}
