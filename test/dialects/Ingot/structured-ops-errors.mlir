// RUN: ingot-opt %s -split-input-file -verify-diagnostics

func.func @linear_inner(%x: tensor<2x3xf32>, %w: tensor<4x5xf32>, %o: tensor<2x5xf32>) -> tensor<2x5xf32> {
  // expected-error @+1 {{multiplies}}
  %0 = ingot.linear ins(%x, %w : tensor<2x3xf32>, tensor<4x5xf32>) outs(%o : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

func.func @linear_weight_rank(%x: tensor<2x3xf32>, %w: tensor<3xf32>, %o: tensor<2x5xf32>) -> tensor<2x5xf32> {
  // expected-error @+1 {{needs a weight of rank 2, or 3 or 4 if packed}}
  %0 = ingot.linear ins(%x, %w : tensor<2x3xf32>, tensor<3xf32>) outs(%o : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

func.func @linear_bias(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>, %b: tensor<1x5xf32>, %o: tensor<2x5xf32>) -> tensor<2x5xf32> {
  // expected-error @+1 {{needs a bias of rank 1}}
  %0 = ingot.linear ins(%x, %w, %b : tensor<2x3xf32>, tensor<3x5xf32>, tensor<1x5xf32>) outs(%o : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

func.func @linear_destination(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>, %o: tensor<2x6xf32>) -> tensor<2x6xf32> {
  // expected-error @+1 {{has a destination of type 'tensor<2x6xf32>' for a result of type 'tensor<2x5xf32>'}}
  %0 = ingot.linear ins(%x, %w : tensor<2x3xf32>, tensor<3x5xf32>) outs(%o : tensor<2x6xf32>) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// -----

func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>, %o: tensor<2x5xf32>) -> tensor<2x5xf32> {
  // expected-error @+1 {{multiplies}}
  %0 = ingot.matmul ins(%a, %b : tensor<2x3xf32>, tensor<4x5xf32>) outs(%o : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

func.func @attention_rank(%q: tensor<2x3xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{needs q, k and v of rank 4}}
  %0 = ingot.attention ins(%q, %q, %q : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) outs(%o : tensor<2x3xf32>) {scale = 1.0 : f64} -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @attention_depth(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x6xf32>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  // expected-error @+1 {{has q, k and v that do not fit together}}
  %0 = ingot.attention ins(%q, %k, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x6xf32>, tensor<1x2x4x8xf32>) outs(%o : tensor<1x2x4x8xf32>) {scale = 1.0 : f64} -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// -----

func.func @attention_heads(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x3x8xf32>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  // expected-error @+1 {{has 4 query heads for 3 key heads}}
  %0 = ingot.attention ins(%q, %k, %k : tensor<1x2x4x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) outs(%o : tensor<1x2x4x8xf32>) {scale = 1.0 : f64} -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// -----

func.func @attention_mask(%q: tensor<1x2x4x8xf32>, %m: tensor<2xi1>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  // expected-error @+1 {{needs a key mask of rank 2}}
  %0 = ingot.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) key_mask(%m : tensor<2xi1>) outs(%o : tensor<1x2x4x8xf32>) {scale = 1.0 : f64} -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// -----

func.func @attention_bias(%q: tensor<1x2x4x8xf32>, %m: tensor<2xf32>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  // expected-error @+1 {{needs a bias of rank 4}}
  %0 = ingot.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) bias(%m : tensor<2xf32>) outs(%o : tensor<1x2x4x8xf32>) {scale = 1.0 : f64} -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// -----

func.func @attention_window(%q: tensor<1x2x4x8xf32>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  // expected-error @+1 {{has a negative window}}
  %0 = ingot.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) outs(%o : tensor<1x2x4x8xf32>) {scale = 1.0 : f64, window = -1 : i64} -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// -----

func.func @softmax(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{has axis 2 but the operand has rank 2}}
  %0 = ingot.softmax ins(%x : tensor<2x3xf32>) outs(%x : tensor<2x3xf32>) {axis = 2 : i64} -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @layer_norm(%x: tensor<2x3xf32>, %g: tensor<4xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{with a vector of 'tensor<4xf32>'}}
  %0 = ingot.layer_norm ins(%x, %g : tensor<2x3xf32>, tensor<4xf32>) outs(%x : tensor<2x3xf32>) {epsilon = 1.0e-5 : f64} -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @rms_norm(%x: tensor<2x3xf32>, %g: tensor<4xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{with a vector of 'tensor<4xf32>'}}
  %0 = ingot.rms_norm ins(%x, %g : tensor<2x3xf32>, tensor<4xf32>) outs(%x : tensor<2x3xf32>) {epsilon = 1.0e-5 : f64} -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @attention_past(%q: tensor<1x2x4x8xf32>, %p: tensor<1xi32>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  // expected-error @+1 {{needs one i64 for each row of 'tensor<1x2x4x8xf32>', not 'tensor<1xi32>'}}
  %0 = ingot.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) past(%p : tensor<1xi32>) outs(%o : tensor<1x2x4x8xf32>) {scale = 1.0 : f64, causal = true} -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// -----

func.func @attention_past_only(%q: tensor<1x2x4x8xf32>, %p: tensor<1xi64>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  // expected-error @+1 {{has positions of rows but is not causal}}
  %0 = ingot.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) past(%p : tensor<1xi64>) outs(%o : tensor<1x2x4x8xf32>) {scale = 1.0 : f64} -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// -----

func.func @pairs_of_k(%x: memref<2x7xbf16>, %w: memref<1x3x16x2xbf16>, %o: memref<2x5xf32>) {
  // expected-error @+1 {{multiplies 'memref<2x7xbf16>' with pairs of 'memref<1x3x16x2xbf16>'}}
  ingot.linear ins(%x, %w : memref<2x7xbf16>, memref<1x3x16x2xbf16>) outs(%o : memref<2x5xf32>)
  return
}

// -----

func.func @pairs_of_types(%x: memref<2x7xf16>, %w: memref<1x4x16x2xbf16>, %o: memref<2x5xf32>) {
  // expected-error @+1 {{has pairs of other types than bf16 and f32}}
  ingot.linear ins(%x, %w : memref<2x7xf16>, memref<1x4x16x2xbf16>) outs(%o : memref<2x5xf32>)
  return
}
