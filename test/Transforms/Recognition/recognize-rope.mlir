// RUN: ingot-opt %s --ingot-recognize-rope --split-input-file | FileCheck %s

ingot.dim @b
ingot.dim @s

// Tables are used by their first half, which the second repeats.
// CHECK-LABEL: func.func @halves
// CHECK: %[[C:.*]] = ingot.slice %{{.*}} from <0, 0, 0, 0> size <b, 1, s, 4>
// CHECK: %[[S:.*]] = ingot.slice %{{.*}} from <0, 0, 0, 0> size <b, 1, s, 4>
// CHECK: ingot.rope %arg0, %[[C]], %[[S]]
func.func @halves(%x: tensor<?x6x?x8xf32> {ingot.dims = #ingot.dims<b, 6, s, 8>},
                  %a: tensor<?x1x?x4xf32> {ingot.dims = #ingot.dims<b, 1, s, 4>}) -> tensor<?x6x?x8xf32> {
  %0 = ingot.concat %a, %a {axis = 3 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x8xf32>
  %c = ingot.cos %0 : (tensor<?x1x?x8xf32>) -> tensor<?x1x?x8xf32>
  %s = ingot.sin %0 : (tensor<?x1x?x8xf32>) -> tensor<?x1x?x8xf32>
  %1 = ingot.mul %x, %c : (tensor<?x6x?x8xf32>, tensor<?x1x?x8xf32>) -> tensor<?x6x?x8xf32>
  %2 = ingot.slice %x from <0, 0, 0, 0> size <b, 6, s, 4> step [1, 1, 1, 1] : (tensor<?x6x?x8xf32>) -> tensor<?x6x?x4xf32>
  %3 = ingot.slice %x from <0, 0, 0, 4> size <b, 6, s, 4> step [1, 1, 1, 1] : (tensor<?x6x?x8xf32>) -> tensor<?x6x?x4xf32>
  %4 = ingot.neg %3 : (tensor<?x6x?x4xf32>) -> tensor<?x6x?x4xf32>
  %5 = ingot.concat %4, %2 {axis = 3 : i64} : (tensor<?x6x?x4xf32>, tensor<?x6x?x4xf32>) -> tensor<?x6x?x8xf32>
  %6 = ingot.mul %s, %5 : (tensor<?x1x?x8xf32>, tensor<?x6x?x8xf32>) -> tensor<?x6x?x8xf32>
  %7 = ingot.add %6, %1 : (tensor<?x6x?x8xf32>, tensor<?x6x?x8xf32>) -> tensor<?x6x?x8xf32>
  return %7 : tensor<?x6x?x8xf32>
}

// -----

// Halves of the tables that are not known to be equal: another function.
// CHECK-LABEL: func.func @tables
// CHECK-NOT: ingot.rope
func.func @tables(%x: tensor<2x8xf32>, %c: tensor<2x8xf32>, %s: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %1 = ingot.mul %x, %c : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %2 = ingot.slice %x from <0, 0> size <2, 4> step [1, 1] : (tensor<2x8xf32>) -> tensor<2x4xf32>
  %3 = ingot.slice %x from <0, 4> size <2, 4> step [1, 1] : (tensor<2x8xf32>) -> tensor<2x4xf32>
  %4 = ingot.neg %3 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %5 = ingot.concat %4, %2 {axis = 1 : i64} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %6 = ingot.mul %5, %s : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %7 = ingot.add %1, %6 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %7 : tensor<2x8xf32>
}

// -----

// The halves apart, of the first six of eight features.
// CHECK-LABEL: func.func @partial
// CHECK: ingot.rope %arg0, %arg1, %arg2 : (tensor<2x8xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>
func.func @partial(%x: tensor<2x8xf32>, %c: tensor<2x3xf32>, %s: tensor<2x3xf32>) -> tensor<2x8xf32> {
  %0 = ingot.slice %x from <0, 0> size <2, 6> step [1, 1] : (tensor<2x8xf32>) -> tensor<2x6xf32>
  %1 = ingot.slice %x from <0, 6> size <2, 2> step [1, 1] : (tensor<2x8xf32>) -> tensor<2x2xf32>
  %a = ingot.slice %0 from <0, 0> size <2, 3> step [1, 1] : (tensor<2x6xf32>) -> tensor<2x3xf32>
  %b = ingot.slice %0 from <0, 3> size <2, 3> step [1, 1] : (tensor<2x6xf32>) -> tensor<2x3xf32>
  %2 = ingot.mul %a, %c : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = ingot.mul %s, %b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = ingot.sub %2, %3 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %5 = ingot.mul %b, %c : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %6 = ingot.mul %a, %s : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %7 = ingot.add %5, %6 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %8 = ingot.concat %4, %7 {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  %9 = ingot.concat %8, %1 {axis = 1 : i64} : (tensor<2x6xf32>, tensor<2x2xf32>) -> tensor<2x8xf32>
  return %9 : tensor<2x8xf32>
}

// -----

// Pairs of neighbours: every second feature, and tables that repeat each angle.
// CHECK-LABEL: func.func @woven
// CHECK: %[[C:.*]] = ingot.slice %{{.*}} from <0, 0> size <s, 4> step [1, 2]
// CHECK: %[[S:.*]] = ingot.slice %{{.*}} from <0, 0> size <s, 4> step [1, 2]
// CHECK: ingot.rope %arg0, %[[C]], %[[S]] {interleaved = true}
ingot.dim @s
func.func @woven(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<s, 8>},
                 %a: tensor<?x4x1xf32> {ingot.dims = #ingot.dims<s, 4, 1>}) -> tensor<?x8xf32> {
  %0 = ingot.concat %a, %a {axis = 2 : i64} : (tensor<?x4x1xf32>, tensor<?x4x1xf32>) -> tensor<?x4x2xf32>
  %1 = ingot.reshape %0 to <s, 8> : (tensor<?x4x2xf32>) -> tensor<?x8xf32>
  %c = ingot.cos %1 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %s = ingot.sin %1 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %even = ingot.slice %x from <0, 0> size <s, 4> step [1, 2] : (tensor<?x8xf32>) -> tensor<?x4xf32>
  %odd = ingot.slice %x from <0, 1> size <s, 4> step [1, 2] : (tensor<?x8xf32>) -> tensor<?x4xf32>
  %neg = ingot.neg %odd : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %n1 = ingot.reshape %neg to <s, 4, 1> : (tensor<?x4xf32>) -> tensor<?x4x1xf32>
  %e1 = ingot.reshape %even to <s, 4, 1> : (tensor<?x4xf32>) -> tensor<?x4x1xf32>
  %2 = ingot.concat %n1, %e1 {axis = 2 : i64} : (tensor<?x4x1xf32>, tensor<?x4x1xf32>) -> tensor<?x4x2xf32>
  %3 = ingot.reshape %2 to <s, 8> : (tensor<?x4x2xf32>) -> tensor<?x8xf32>
  %4 = ingot.mul %x, %c : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = ingot.mul %3, %s : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %6 = ingot.add %4, %5 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %6 : tensor<?x8xf32>
}

// -----

// A dim of two for the members of a pair; each is computed apart.
// CHECK-LABEL: func.func @members
// CHECK: ingot.rope %arg0, %arg1, %arg2 {interleaved = true}
ingot.dim @s
func.func @members(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<s, 8>},
                   %c: tensor<?x4xf32> {ingot.dims = #ingot.dims<s, 4>},
                   %s: tensor<?x4xf32> {ingot.dims = #ingot.dims<s, 4>}) -> tensor<?x8xf32> {
  %0 = ingot.reshape %x to <s, 4, 2> : (tensor<?x8xf32>) -> tensor<?x4x2xf32>
  %1 = ingot.slice %0 from <0, 0, 0> size <s, 4, 1> step [1, 1, 1] : (tensor<?x4x2xf32>) -> tensor<?x4x1xf32>
  %2 = ingot.slice %0 from <0, 0, 1> size <s, 4, 1> step [1, 1, 1] : (tensor<?x4x2xf32>) -> tensor<?x4x1xf32>
  %a = ingot.reshape %1 to <s, 4> : (tensor<?x4x1xf32>) -> tensor<?x4xf32>
  %b = ingot.reshape %2 to <s, 4> : (tensor<?x4x1xf32>) -> tensor<?x4xf32>
  %3 = ingot.mul %a, %c : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %4 = ingot.mul %b, %s : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %5 = ingot.mul %a, %s : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %6 = ingot.mul %b, %c : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %7 = ingot.sub %3, %4 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %8 = ingot.add %5, %6 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %9 = ingot.reshape %7 to <s, 4, 1> : (tensor<?x4xf32>) -> tensor<?x4x1xf32>
  %10 = ingot.reshape %8 to <s, 4, 1> : (tensor<?x4xf32>) -> tensor<?x4x1xf32>
  %11 = ingot.concat %9, %10 {axis = 2 : i64} : (tensor<?x4x1xf32>, tensor<?x4x1xf32>) -> tensor<?x4x2xf32>
  %12 = ingot.reshape %11 to <s, 8> : (tensor<?x4x2xf32>) -> tensor<?x8xf32>
  return %12 : tensor<?x8xf32>
}

// -----

// The members swapped: another function.
// CHECK-LABEL: func.func @swapped
// CHECK-NOT: ingot.rope
ingot.dim @s
func.func @swapped(%x: tensor<?x8xf32> {ingot.dims = #ingot.dims<s, 8>},
                   %c: tensor<?x4xf32> {ingot.dims = #ingot.dims<s, 4>},
                   %s: tensor<?x4xf32> {ingot.dims = #ingot.dims<s, 4>}) -> tensor<?x8xf32> {
  %b = ingot.slice %x from <0, 0> size <s, 4> step [1, 2] : (tensor<?x8xf32>) -> tensor<?x4xf32>
  %a = ingot.slice %x from <0, 1> size <s, 4> step [1, 2] : (tensor<?x8xf32>) -> tensor<?x4xf32>
  %3 = ingot.mul %a, %c : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %4 = ingot.mul %b, %s : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %5 = ingot.mul %a, %s : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %6 = ingot.mul %b, %c : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %7 = ingot.sub %3, %4 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %8 = ingot.add %5, %6 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %9 = ingot.reshape %7 to <s, 4, 1> : (tensor<?x4xf32>) -> tensor<?x4x1xf32>
  %10 = ingot.reshape %8 to <s, 4, 1> : (tensor<?x4xf32>) -> tensor<?x4x1xf32>
  %11 = ingot.concat %9, %10 {axis = 2 : i64} : (tensor<?x4x1xf32>, tensor<?x4x1xf32>) -> tensor<?x4x2xf32>
  %12 = ingot.reshape %11 to <s, 8> : (tensor<?x4x2xf32>) -> tensor<?x8xf32>
  return %12 : tensor<?x8xf32>
}
