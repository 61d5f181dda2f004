// RUN: ingot-opt %s -ingot-split-by-use -cse -canonicalize | FileCheck %s

// Parts of a product that are used by themselves are products by themselves,
// behind reshapes and element by element too.
// CHECK-LABEL: func @parts
// CHECK: %[[A:.*]] = tensor.extract_slice %arg1[0, 0, 0] [12, 64, 16]
// CHECK: ingot.linear ins(%{{.*}}, %[[A]] : tensor<?x64xf32>, tensor<12x64x16xf32>) outs(%{{.*}} : tensor<?x192xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x192xf32>)
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2]] output_shape [%{{.*}}, 3, 64]
// CHECK: ingot.linear {{.*}} tensor<4x64x16xf32>) outs(%{{.*}} : tensor<?x64xf32>)
// CHECK: tensor.expand_shape {{.*}} output_shape [%{{.*}}, 1, 64]
func.func @parts(%x: tensor<?x64xf32>, %w: tensor<16x64x16xf32>) -> (tensor<?x3x64xf32>, tensor<?x1x64xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%n) : tensor<?x256xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x64xf32>, tensor<16x64x16xf32>) outs(%e : tensor<?x256xf32>) -> tensor<?x256xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%0 : tensor<?x256xf32>) outs(%e : tensor<?x256xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.tanh %a : f32
    linalg.yield %s : f32
  } -> tensor<?x256xf32>
  %2 = tensor.expand_shape %1 [[0], [1, 2]] output_shape [%n, 4, 64] : tensor<?x256xf32> into tensor<?x4x64xf32>
  %3 = tensor.extract_slice %2[0, 0, 0] [%n, 3, 64] [1, 1, 1] : tensor<?x4x64xf32> to tensor<?x3x64xf32>
  %4 = tensor.extract_slice %2[0, 3, 0] [%n, 1, 64] [1, 1, 1] : tensor<?x4x64xf32> to tensor<?x1x64xf32>
  return %3, %4 : tensor<?x3x64xf32>, tensor<?x1x64xf32>
}

// An element in two parts would be computed twice; a panel of the matrix is not
// cut.
// CHECK-LABEL: func @whole
// CHECK-COUNT-2: ingot.linear {{.*}} outs(%{{.*}} : tensor<?x64xf32>)
// CHECK-NOT: ingot.linear
func.func @whole(%x: tensor<?x64xf32>, %w: tensor<4x64x16xf32>)
    -> (tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x24xf32>, tensor<?x40xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x64xf32>, tensor<4x64x16xf32>) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  %1 = tensor.extract_slice %0[0, 0] [%n, 40] [1, 1] : tensor<?x64xf32> to tensor<?x40xf32>
  %2 = tensor.extract_slice %0[0, 24] [%n, 40] [1, 1] : tensor<?x64xf32> to tensor<?x40xf32>
  %x2 = arith.negf %x : tensor<?x64xf32>
  %3 = ingot.linear ins(%x2, %w : tensor<?x64xf32>, tensor<4x64x16xf32>) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  %4 = tensor.extract_slice %3[0, 0] [%n, 24] [1, 1] : tensor<?x64xf32> to tensor<?x24xf32>
  %5 = tensor.extract_slice %3[0, 24] [%n, 40] [1, 1] : tensor<?x64xf32> to tensor<?x40xf32>
  return %1, %2, %4, %5 : tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x24xf32>, tensor<?x40xf32>
}

// A part of all rows is one piece; one of some rows of each is not.
// CHECK-LABEL: func @rows
// CHECK: ingot.linear {{.*}} outs(%{{.*}} : tensor<?x64xf32>)
// CHECK: tensor.expand_shape
// CHECK: tensor.extract_slice
func.func @rows(%x: tensor<?x64xf32>, %w: tensor<4x64x16xf32>, %b: index, %s: index) -> tensor<?x1x64xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %0 = ingot.linear ins(%x, %w : tensor<?x64xf32>, tensor<4x64x16xf32>) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  %1 = tensor.expand_shape %0 [[0, 1], [2]] output_shape [%b, %s, 64] : tensor<?x64xf32> into tensor<?x?x64xf32>
  %2 = tensor.extract_slice %1[0, 0, 0] [%b, 1, 64] [1, 1, 1] : tensor<?x?x64xf32> to tensor<?x1x64xf32>
  return %2 : tensor<?x1x64xf32>
}
