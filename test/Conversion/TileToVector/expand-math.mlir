// RUN: ingot-opt %s --ingot-expand-math | FileCheck %s

// CHECK-LABEL: func @rsqrt
// CHECK: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<16xf32>
// CHECK: %[[ROOT:.*]] = math.sqrt
// CHECK: arith.divf %[[ONE]], %[[ROOT]] : vector<16xf32>
func.func @rsqrt(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.rsqrt %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// What is an instruction stays.
// CHECK-LABEL: func @kept
// CHECK-NEXT: math.floor
// CHECK-NEXT: math.sqrt
// CHECK-NEXT: math.fma
// CHECK-NEXT: return
func.func @kept(%x: f32) -> f32 {
  %0 = math.floor %x : f32
  %1 = math.sqrt %0 : f32
  %2 = math.fma %0, %1, %x : f32
  return %2 : f32
}

// CHECK-LABEL: func @exp
// CHECK-NOT: math.exp
// CHECK: math.fma {{.*}} : vector<16xf32>
// CHECK: arith.shli {{.*}} : vector<16xi32>
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// The rarer functions of f32 are computed in f64.
// CHECK-LABEL: func @asinh
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK-NOT: math.asinh
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @asinh(%x: f32) -> f32 {
  %0 = math.asinh %x : f32
  return %0 : f32
}

// bf16 is computed in f32 and converted by integer arithmetic.
// CHECK-LABEL: func @narrow
// CHECK-NOT: arith.extf
// CHECK: arith.shli {{.*}} : i32
// CHECK: arith.addf {{.*}} : f32
// CHECK-NOT: arith.truncf {{.*}} : f32 to bf16
// CHECK: return
func.func @narrow(%x: bf16, %y: bf16) -> bf16 {
  %0 = arith.addf %x, %y : bf16
  return %0 : bf16
}

// CHECK-LABEL: func @remainder
// CHECK-NOT: arith.remf
// CHECK: scf.while
func.func @remainder(%x: f32, %y: f32) -> f32 {
  %0 = arith.remf %x, %y : f32
  return %0 : f32
}

// Large angles take a branch of their own, with one lane after the other.
// CHECK-LABEL: func @sine
// CHECK: %[[ANY:.*]] = vector.reduction <or>, %{{.*}} : vector<4xi1> into i1
// CHECK: scf.if %[[ANY]]
// CHECK: scf.for
// CHECK: arith.mului_extended {{.*}} : i64
// CHECK: arith.select {{.*}} : vector<4xi1>, vector<4xf64>
// CHECK: else
func.func @sine(%x: vector<4xf64>) -> vector<4xf64> {
  %0 = math.sin %x : vector<4xf64>
  return %0 : vector<4xf64>
}

// CHECK-LABEL: func @tangent
// CHECK-COUNT-1: scf.if
// CHECK-NOT: scf.if
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @tangent(%x: f32) -> f32 {
  %0 = math.tan %x : f32
  return %0 : f32
}
