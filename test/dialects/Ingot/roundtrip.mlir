// RUN: ingot-opt %s | ingot-opt | FileCheck %s

ingot.dim @batch
// CHECK: ingot.dim @seq {max = 512 : i64}
ingot.dim @seq {max = 512 : i64}
// CHECK: ingot.weight @w : tensor<384x384xf32> in "model.onnx" at 64 length 589824
ingot.weight @w : tensor<384x384xf32> in "model.onnx" at 64 length 589824

// CHECK-LABEL: func.func @structured
func.func @structured(%x: tensor<?x?x384xf32> {ingot.dims = #ingot.dims<batch, seq, 384>},
                      %m: tensor<?x?xi1>, %v: tensor<384xf32>) -> tensor<?x?x384xf32> {
  %b = ingot.size <batch>
  // CHECK: ingot.size <batch * seq * 2 + 1>
  %s = ingot.size <1 + 2 * seq * batch>
  %w = ingot.weight_ref @w : tensor<384x384xf32>
  %0 = tensor.empty(%b, %s) : tensor<?x?x384xf32>
  // CHECK: ingot.linear ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x384xf32>, tensor<384x384xf32>, tensor<384xf32>) outs(%{{.*}} : tensor<?x?x384xf32>) -> tensor<?x?x384xf32>
  %1 = ingot.linear ins(%x, %w, %v : tensor<?x?x384xf32>, tensor<384x384xf32>, tensor<384xf32>)
                    outs(%0 : tensor<?x?x384xf32>) -> tensor<?x?x384xf32>
  // CHECK: ingot.reshape %{{.*}} to <batch, seq, 12, 32>
  %q = ingot.reshape %1 to <batch, seq, 12, 32> : (tensor<?x?x384xf32>) -> tensor<?x?x12x32xf32>
  %2 = tensor.empty(%b, %s) : tensor<?x?x12x32xf32>
  // CHECK: ingot.attention ins({{.*}}) key_mask(%{{.*}} : tensor<?x?xi1>) outs(
  %3 = ingot.attention ins(%q, %q, %q : tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>)
       key_mask(%m : tensor<?x?xi1>) outs(%2 : tensor<?x?x12x32xf32>) {scale = 0.25 : f64} -> tensor<?x?x12x32xf32>
  %4 = ingot.reshape %3 to <batch, seq, 384> : (tensor<?x?x12x32xf32>) -> tensor<?x?x384xf32>
  // CHECK: ingot.add
  %5 = ingot.add %4, %x : (tensor<?x?x384xf32>, tensor<?x?x384xf32>) -> tensor<?x?x384xf32>
  // CHECK: ingot.layer_norm ins(
  %6 = ingot.layer_norm ins(%5, %v, %v : tensor<?x?x384xf32>, tensor<384xf32>, tensor<384xf32>)
       outs(%0 : tensor<?x?x384xf32>) {epsilon = 1.0e-12 : f64} -> tensor<?x?x384xf32>
  // CHECK: ingot.gelu
  %7 = ingot.gelu %6 : (tensor<?x?x384xf32>) -> tensor<?x?x384xf32>
  // CHECK: ingot.reduce <mean>
  %8 = ingot.reduce <mean> %7 axes [1] {keepdims = true} : (tensor<?x?x384xf32>) -> tensor<?x1x384xf32>
  return %7 : tensor<?x?x384xf32>
}
