// RUN: ingot-opt %s --ingot-recognize-norms | FileCheck %s

ingot.weight @g : tensor<80xf32> in "model.onnx" at 0 length 320
ingot.weight @b : tensor<80xf32> in "model.onnx" at 320 length 320

// CHECK-LABEL: @rms
// CHECK: %[[G:.*]] = ingot.weight_ref @g
// CHECK: ingot.rms_norm ins(%arg0, %[[G]] : {{.*}} {epsilon = {{.*}} : f64}
// CHECK-NOT: ingot.reduce
func.func @rms(%x: tensor<2x3x80xf32>) -> tensor<2x3x80xf32> {
  %g = ingot.weight_ref @g : tensor<80xf32>
  %two = ingot.constant dense<2.0> : tensor<f32>
  %eps = ingot.constant dense<1.0e-6> : tensor<f32>
  %0 = ingot.pow %x, %two : (tensor<2x3x80xf32>, tensor<f32>) -> tensor<2x3x80xf32>
  %1 = ingot.reduce <mean> %0 axes [2] {keepdims = true} : (tensor<2x3x80xf32>) -> tensor<2x3x1xf32>
  %2 = ingot.add %eps, %1 : (tensor<f32>, tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %3 = ingot.sqrt %2 : (tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %4 = ingot.reciprocal %3 : (tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %5 = ingot.mul %4, %x : (tensor<2x3x1xf32>, tensor<2x3x80xf32>) -> tensor<2x3x80xf32>
  %6 = ingot.mul %g, %5 : (tensor<80xf32>, tensor<2x3x80xf32>) -> tensor<2x3x80xf32>
  return %6 : tensor<2x3x80xf32>
}

// CHECK-LABEL: @layer
// CHECK: ingot.layer_norm ins(%arg0, %{{.*}}, %{{.*}} :
// CHECK-NOT: ingot.reduce
func.func @layer(%x: tensor<2x3x80xf32>) -> tensor<2x3x80xf32> {
  %g = ingot.weight_ref @g : tensor<80xf32>
  %b = ingot.weight_ref @b : tensor<80xf32>
  %eps = ingot.constant dense<1.0e-5> : tensor<f32>
  %0 = ingot.reduce <mean> %x axes [2] {keepdims = true} : (tensor<2x3x80xf32>) -> tensor<2x3x1xf32>
  %1 = ingot.sub %x, %0 : (tensor<2x3x80xf32>, tensor<2x3x1xf32>) -> tensor<2x3x80xf32>
  %2 = ingot.mul %1, %1 : (tensor<2x3x80xf32>, tensor<2x3x80xf32>) -> tensor<2x3x80xf32>
  %3 = ingot.reduce <mean> %2 axes [2] {keepdims = true} : (tensor<2x3x80xf32>) -> tensor<2x3x1xf32>
  %4 = ingot.add %3, %eps : (tensor<2x3x1xf32>, tensor<f32>) -> tensor<2x3x1xf32>
  %5 = ingot.sqrt %4 : (tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %6 = ingot.div %1, %5 : (tensor<2x3x80xf32>, tensor<2x3x1xf32>) -> tensor<2x3x80xf32>
  %7 = ingot.mul %6, %g : (tensor<2x3x80xf32>, tensor<80xf32>) -> tensor<2x3x80xf32>
  %8 = ingot.add %7, %b : (tensor<2x3x80xf32>, tensor<80xf32>) -> tensor<2x3x80xf32>
  return %8 : tensor<2x3x80xf32>
}

// The mean of another value makes no norm.
// CHECK-LABEL: @no_norm
// CHECK-NOT: _norm
func.func @no_norm(%x: tensor<2x80xf32>, %y: tensor<2x80xf32>) -> tensor<2x80xf32> {
  %eps = ingot.constant dense<1.0e-6> : tensor<f32>
  %0 = ingot.mul %y, %y : (tensor<2x80xf32>, tensor<2x80xf32>) -> tensor<2x80xf32>
  %1 = ingot.reduce <mean> %0 axes [1] {keepdims = true} : (tensor<2x80xf32>) -> tensor<2x1xf32>
  %2 = ingot.add %1, %eps : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %3 = ingot.rsqrt %2 : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %4 = ingot.mul %x, %3 : (tensor<2x80xf32>, tensor<2x1xf32>) -> tensor<2x80xf32>
  return %4 : tensor<2x80xf32>
}
