// RUN: ingot-opt %s --ingot-recognize-activations | FileCheck %s

// The half beside the gate, as torch.onnx with dynamo writes it.
// CHECK-LABEL: @gelu_erf_inner_half
// CHECK-NEXT: %[[Y:.*]] = ingot.gelu %arg0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @gelu_erf_inner_half(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %root = ingot.constant dense<1.41421354> : tensor<f32>
  %one = ingot.constant dense<1.0> : tensor<f32>
  %half = ingot.constant dense<0.5> : tensor<f32>
  %0 = ingot.div %x, %root : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = ingot.erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = ingot.add %one, %1 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = ingot.mul %half, %2 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = ingot.mul %3, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// The half outside, as TorchScript writes it; the product is used twice.
// CHECK-LABEL: @gelu_erf_outer_half
// CHECK: ingot.gelu %arg0
// CHECK-NOT: ingot.erf
func.func @gelu_erf_outer_half(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %root = ingot.constant dense<1.41421354> : tensor<f32>
  %one = ingot.constant dense<1.0> : tensor<f32>
  %half = ingot.constant dense<0.5> : tensor<f32>
  %0 = ingot.div %x, %root : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = ingot.erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = ingot.add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = ingot.mul %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = ingot.mul %3, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %5 = ingot.relu %4 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %4, %5 : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: @gelu_tanh
// CHECK-NEXT: ingot.gelu %arg0 {kind = #ingot.gelu<tanh>}
// CHECK-NEXT: return
func.func @gelu_tanh(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %three = ingot.constant dense<3.0> : tensor<f32>
  %c = ingot.constant dense<4.471500e-02> : tensor<f32>
  %root = ingot.constant dense<0.797884583> : tensor<f32>
  %one = ingot.constant dense<1.0> : tensor<f32>
  %half = ingot.constant dense<0.5> : tensor<f32>
  %0 = ingot.mul %half, %x : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = ingot.pow %x, %three : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %2 = ingot.mul %1, %c : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = ingot.add %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = ingot.mul %root, %3 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = ingot.tanh %4 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %6 = ingot.add %5, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %7 = ingot.mul %0, %6 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %7 : tensor<?x8xf32>
}

// Another constant under the root is another function.
// CHECK-LABEL: @not_gelu
// CHECK-NOT: ingot.gelu
func.func @not_gelu(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %root = ingot.constant dense<1.4153> : tensor<f32>
  %one = ingot.constant dense<1.0> : tensor<f32>
  %half = ingot.constant dense<0.5> : tensor<f32>
  %0 = ingot.div %x, %root : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = ingot.erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = ingot.add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = ingot.mul %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = ingot.mul %3, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// CHECK-LABEL: @silu
// CHECK-NEXT: ingot.silu %arg0
// CHECK-NEXT: return
func.func @silu(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = ingot.sigmoid %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = ingot.mul %0, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// A gate is no silu.
// CHECK-LABEL: @glu
// CHECK-NOT: ingot.silu
func.func @glu(%a: tensor<?x8xf32>, %b: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = ingot.sigmoid %b : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = ingot.mul %a, %0 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}
