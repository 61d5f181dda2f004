// RUN: ingot-opt %s -ingot-lower-expand-shapes | FileCheck %s

// Two dynamic dims from one, which upstream's expansion does not know.
// CHECK-LABEL: func @split(
// CHECK-SAME: %[[A:.*]]: memref<?x384xf32>, %[[B:.*]]: index, %[[S:.*]]: index)
// CHECK: %[[BASE:.*]], %{{.*}}, %{{.*}}:2, %[[STRIDES:.*]]:2 = memref.extract_strided_metadata %[[A]]
// CHECK: %[[OUTER:.*]] = arith.muli %[[S]], %{{.*}} : index
// CHECK: memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [%[[B]], %[[S]], 12, 32], strides: [%[[OUTER]], 384, 32, 1]
func.func @split(%a: memref<?x384xf32>, %b: index, %s: index) -> memref<?x?x12x32xf32> {
  %0 = memref.expand_shape %a [[0, 1], [2, 3]] output_shape [%b, %s, 12, 32] : memref<?x384xf32> into memref<?x?x12x32xf32>
  return %0 : memref<?x?x12x32xf32>
}
