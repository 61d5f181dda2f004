// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-prove-writes))"

// Of each op that stands in tiles, an operand that is shorter than its loops
// go, or may be.

ingot.dim @m
ingot.dim @n
mega.program @linear(
    %x_: memref<?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<m, 8>},
    %w_: memref<8x4xf32> {ingot.role = "weight"},
    %y_: memref<?x4xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 4>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<?x8xf32> to memref<?x8xf32>
      %w = mega.access read %w_ : memref<8x4xf32> to memref<8x4xf32>
      %y = mega.access write %y_ : memref<?x4xf32> to memref<?x4xf32>
      // expected-error @+1 {{has operands that do not fit together: m has to be n, as with m = }}
      ingot.linear ins(%x, %w : memref<?x8xf32>, memref<8x4xf32>) outs(%y : memref<?x4xf32>)
    }
  }
  mega.return
}

// -----

// Sixteen columns of a packed weight stand together.
ingot.dim @n
mega.program @packed(
    %x_: memref<4x8xf32> {ingot.role = "input"},
    %w_: memref<2x8x16xf32> {ingot.role = "weight"},
    %y_: memref<4x?xf32> {ingot.role = "output", ingot.dims = #ingot.dims<4, n>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<4x8xf32> to memref<4x8xf32>
      %w = mega.access read %w_ : memref<2x8x16xf32> to memref<2x8x16xf32>
      %y = mega.access write %y_ : memref<4x?xf32> to memref<4x?xf32>
      // expected-error @+1 {{has operands that do not fit together: 2 has to be (n + 15) floordiv (16), as with n = }}
      ingot.linear ins(%x, %w : memref<4x8xf32>, memref<2x8x16xf32>) outs(%y : memref<4x?xf32>)
    }
  }
  mega.return
}

// -----

ingot.dim @k
ingot.dim @l
mega.program @matmul(
    %a_: memref<2x3x?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<2, 3, k>},
    %b_: memref<2x?x4xf32> {ingot.role = "input", ingot.dims = #ingot.dims<2, l, 4>},
    %y_: memref<2x3x4xf32> {ingot.role = "output"}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %a = mega.access read %a_ : memref<2x3x?xf32> to memref<2x3x?xf32>
      %b = mega.access read %b_ : memref<2x?x4xf32> to memref<2x?x4xf32>
      %y = mega.access write %y_ : memref<2x3x4xf32> to memref<2x3x4xf32>
      // expected-error @+1 {{has operands that do not fit together: l has to be k, as with k = }}
      ingot.matmul ins(%a, %b : memref<2x3x?xf32>, memref<2x?x4xf32>) outs(%y : memref<2x3x4xf32>)
    }
  }
  mega.return
}

// -----

ingot.dim @n
ingot.dim @t
ingot.dim @u
mega.program @attention(
    %q_: memref<1x?x2x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, n, 2, 8>},
    %k_: memref<1x?x2x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, t, 2, 8>},
    %v_: memref<1x?x2x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, u, 2, 8>},
    %y_: memref<1x?x2x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<1, n, 2, 8>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %q = mega.access read %q_ : memref<1x?x2x8xf32> to memref<1x?x2x8xf32>
      %k = mega.access read %k_ : memref<1x?x2x8xf32> to memref<1x?x2x8xf32>
      %v = mega.access read %v_ : memref<1x?x2x8xf32> to memref<1x?x2x8xf32>
      %y = mega.access write %y_ : memref<1x?x2x8xf32> to memref<1x?x2x8xf32>
      // expected-error @+1 {{has operands that do not fit together: u has to be t, as with t = }}
      ingot.attention ins(%q, %k, %v : memref<1x?x2x8xf32>, memref<1x?x2x8xf32>, memref<1x?x2x8xf32>) outs(%y : memref<1x?x2x8xf32>) {scale = 1.0 : f64}
    }
  }
  mega.return
}

// -----

// A mask has one element for all keys, or one for each.
ingot.dim @t
ingot.dim @u
mega.program @mask(
    %q_: memref<1x3x2x8xf32> {ingot.role = "input"},
    %k_: memref<1x?x2x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, t, 2, 8>},
    %m_: memref<1x?xi8> {ingot.role = "input", ingot.dims = #ingot.dims<1, u>},
    %y_: memref<1x3x2x8xf32> {ingot.role = "output"}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %q = mega.access read %q_ : memref<1x3x2x8xf32> to memref<1x3x2x8xf32>
      %k = mega.access read %k_ : memref<1x?x2x8xf32> to memref<1x?x2x8xf32>
      %m = mega.access read %m_ : memref<1x?xi8> to memref<1x?xi8>
      %y = mega.access write %y_ : memref<1x3x2x8xf32> to memref<1x3x2x8xf32>
      // expected-error @+1 {{has operands that do not fit together: u * u - t * u has to be u - t, as with t = }}
      ingot.attention ins(%q, %k, %k : memref<1x3x2x8xf32>, memref<1x?x2x8xf32>, memref<1x?x2x8xf32>) key_mask(%m : memref<1x?xi8>) outs(%y : memref<1x3x2x8xf32>) {scale = 1.0 : f64}
    }
  }
  mega.return
}

// -----

// Two query heads for each key head, but one too many.
ingot.dim @h
mega.program @heads(
    %q_: memref<1x3x?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, 3, h * 2 + 1, 8>},
    %k_: memref<1x3x?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, 3, h, 8>},
    %y_: memref<1x3x?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<1, 3, h * 2 + 1, 8>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %q = mega.access read %q_ : memref<1x3x?x8xf32> to memref<1x3x?x8xf32>
      %k = mega.access read %k_ : memref<1x3x?x8xf32> to memref<1x3x?x8xf32>
      %y = mega.access write %y_ : memref<1x3x?x8xf32> to memref<1x3x?x8xf32>
      // expected-error @+1 {{has operands that do not fit together: }}
      ingot.attention ins(%q, %k, %k : memref<1x3x?x8xf32>, memref<1x3x?x8xf32>, memref<1x3x?x8xf32>) outs(%y : memref<1x3x?x8xf32>) {scale = 1.0 : f64}
    }
  }
  mega.return
}

// -----

ingot.dim @m
ingot.dim @n
mega.program @softmax(
    %x_: memref<?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<m, 8>},
    %y_: memref<?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 8>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<?x8xf32> to memref<?x8xf32>
      %y = mega.access write %y_ : memref<?x8xf32> to memref<?x8xf32>
      // expected-error @+1 {{has operands that do not fit together: m has to be n, as with m = }}
      ingot.softmax ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>) {axis = 1 : i64}
    }
  }
  mega.return
}

// -----

ingot.dim @m
ingot.dim @n
mega.program @layer_norm(
    %x_: memref<4x?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<4, n>},
    %g_: memref<?xf32> {ingot.role = "weight", ingot.dims = #ingot.dims<n>},
    %b_: memref<?xf32> {ingot.role = "weight", ingot.dims = #ingot.dims<m>},
    %y_: memref<4x?xf32> {ingot.role = "output", ingot.dims = #ingot.dims<4, n>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<4x?xf32> to memref<4x?xf32>
      %g = mega.access read %g_ : memref<?xf32> to memref<?xf32>
      %b = mega.access read %b_ : memref<?xf32> to memref<?xf32>
      %y = mega.access write %y_ : memref<4x?xf32> to memref<4x?xf32>
      // expected-error @+1 {{has operands that do not fit together: m has to be n, as with n = }}
      ingot.layer_norm ins(%x, %g, %b : memref<4x?xf32>, memref<?xf32>, memref<?xf32>) outs(%y : memref<4x?xf32>) {epsilon = 1.0e-5 : f64}
    }
  }
  mega.return
}

// -----

// A row less.
ingot.dim @n
mega.program @rms_norm(
    %x_: memref<?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, 8>},
    %g_: memref<8xf32> {ingot.role = "weight"},
    %y_: memref<?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n + 1, 8>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<?x8xf32> to memref<?x8xf32>
      %g = mega.access read %g_ : memref<8xf32> to memref<8xf32>
      %y = mega.access write %y_ : memref<?x8xf32> to memref<?x8xf32>
      // expected-error @+1 {{has operands that do not fit together: n has to be n + 1; in program 'rms_norm'}}
      ingot.rms_norm ins(%x, %g : memref<?x8xf32>, memref<8xf32>) outs(%y : memref<?x8xf32>) {epsilon = 1.0e-5 : f64}
    }
  }
  mega.return
}

// -----

ingot.dim @m
ingot.dim @n
mega.program @rotate(
    %x_: memref<?x3x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, 3, 8>},
    %c_: memref<?x1x4xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, 1, 4>},
    %s_: memref<?x1x4xf32> {ingot.role = "input", ingot.dims = #ingot.dims<m, 1, 4>},
    %y_: memref<?x3x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 3, 8>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<?x3x8xf32> to memref<?x3x8xf32>
      %c = mega.access read %c_ : memref<?x1x4xf32> to memref<?x1x4xf32>
      %s = mega.access read %s_ : memref<?x1x4xf32> to memref<?x1x4xf32>
      %y = mega.access write %y_ : memref<?x3x8xf32> to memref<?x3x8xf32>
      // expected-error @+1 {{has operands that do not fit together: m has to be n, as with n = }}
      ingot.rotate ins(%x, %c, %s : memref<?x3x8xf32>, memref<?x1x4xf32>, memref<?x1x4xf32>) outs(%y : memref<?x3x8xf32>)
    }
  }
  mega.return
}

// -----

// More pairs than there are features.
ingot.dim @n
ingot.dim @p
mega.program @pairs(
    %x_: memref<4x?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<4, n>},
    %c_: memref<4x?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<4, p>},
    %y_: memref<4x?xf32> {ingot.role = "output", ingot.dims = #ingot.dims<4, n>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<4x?xf32> to memref<4x?xf32>
      %c = mega.access read %c_ : memref<4x?xf32> to memref<4x?xf32>
      %y = mega.access write %y_ : memref<4x?xf32> to memref<4x?xf32>
      // expected-error @+1 {{has operands that do not fit together: p * 2 has to be no more than n, as with n = }}
      ingot.rotate ins(%x, %c, %c : memref<4x?xf32>, memref<4x?xf32>, memref<4x?xf32>) outs(%y : memref<4x?xf32>)
    }
  }
  mega.return
}

// -----

ingot.dim @k
ingot.dim @n
mega.program @quantize_rows(
    %x_: memref<?x?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, k>},
    %y_: memref<?x?x18xi32> {ingot.role = "output", ingot.dims = #ingot.dims<n, k floordiv 32, 18>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<?x?xf32> to memref<?x?xf32>
      %y = mega.access write %y_ : memref<?x?x18xi32> to memref<?x?x18xi32>
      // expected-error @+1 {{has operands that do not fit together: (k) floordiv (32) has to be (k + 31) floordiv (32), as with k = }}
      ingot.quantize_rows ins(%x : memref<?x?xf32>) outs(%y : memref<?x?x18xi32>) {activation_bits = 16, weight_bits = 4, block = 32}
    }
  }
  mega.return
}

// -----

ingot.dim @b
mega.program @quantized_linear(
    %x_: memref<4x?x18xi32> {ingot.role = "input", ingot.dims = #ingot.dims<4, b, 18>},
    %w_: memref<2x?x4x16xi32> {ingot.role = "weight", ingot.dims = #ingot.dims<2, b, 4, 16>},
    %s_: memref<2x?x16xf16> {ingot.role = "weight", ingot.dims = #ingot.dims<2, b - 1, 16>},
    %y_: memref<4x32xf32> {ingot.role = "output"}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<4x?x18xi32> to memref<4x?x18xi32>
      %w = mega.access read %w_ : memref<2x?x4x16xi32> to memref<2x?x4x16xi32>
      %s = mega.access read %s_ : memref<2x?x16xf16> to memref<2x?x16xf16>
      %y = mega.access write %y_ : memref<4x32xf32> to memref<4x32xf32>
      // expected-error @+1 {{has operands that do not fit together: b - 1 has to be b}}
      ingot.quantized_linear ins(%x, %w, %s : memref<4x?x18xi32>, memref<2x?x4x16xi32>, memref<2x?x16xf16>) outs(%y : memref<4x32xf32>)
          {activation_bits = 16, weight_bits = 4, block = 32, zero_point = 8}
    }
  }
  mega.return
}

// -----

ingot.dim @b
ingot.dim @n
mega.program @paged_attention(
    %q_: memref<?x3x2x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, 3, 2, 8>},
    %p_: memref<?xi64> {ingot.role = "input", ingot.dims = #ingot.dims<n>},
    %c_: memref<?xi64> {ingot.role = "input", ingot.dims = #ingot.dims<b>},
    %k_: !ingot.cache<heads = 2, key_depth = 8, value_depth = 4, type = f32, window = 0> {ingot.role = "cache"},
    %y_: memref<?x3x2x4xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 3, 2, 4>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %q = mega.access read %q_ : memref<?x3x2x8xf32> to memref<?x3x2x8xf32>
      %p = mega.access read %p_ : memref<?xi64> to memref<?xi64>
      %c = mega.access read %c_ : memref<?xi64> to memref<?xi64>
      %y = mega.access write %y_ : memref<?x3x2x4xf32> to memref<?x3x2x4xf32>
      // expected-error @+1 {{has operands that do not fit together: b has to be n, as with n = }}
      ingot.paged_attention ins(%q : memref<?x3x2x8xf32>) past(%p : memref<?xi64>) count(%c : memref<?xi64>) cache(%k_ : !ingot.cache<heads = 2, key_depth = 8, value_depth = 4, type = f32, window = 0>) outs(%y : memref<?x3x2x4xf32>) {scale = 1.0 : f64}
    }
  }
  mega.return
}

// -----

// There is room for fewer pages than are asked for.
ingot.dim @p
mega.program @page_attention(
    %q_: memref<1x2x8xf32> {ingot.role = "input"},
    %p_: memref<1xi64> {ingot.role = "input"},
    %k_: !ingot.cache<heads = 2, key_depth = 8, value_depth = 4, type = f32, window = 0> {ingot.role = "cache"},
    %y_: memref<1x?x2x6xf32> {ingot.role = "output", ingot.dims = #ingot.dims<1, p, 2, 6>}) {
  %c0 = arith.constant 0 : index
  %pages = ingot.size <p + 1>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %q = mega.access read %q_ : memref<1x2x8xf32> to memref<1x2x8xf32>
      %p = mega.access read %p_ : memref<1xi64> to memref<1xi64>
      %y = mega.access write %y_ : memref<1x?x2x6xf32> to memref<1x?x2x6xf32>
      // expected-error @+1 {{has operands that do not fit together: p + 1 has to be no more than p}}
      ingot.page_attention ins(%q : memref<1x2x8xf32>) past(%p : memref<1xi64>) count(%p : memref<1xi64>) pages(%pages from %c0) cache(%k_ : !ingot.cache<heads = 2, key_depth = 8, value_depth = 4, type = f32, window = 0>) outs(%y : memref<1x?x2x6xf32>) {scale = 1.0 : f64}
    }
  }
  mega.return
}

// -----

ingot.dim @h
mega.program @merge_pages(
    %x_: memref<1x5x?x6xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, 5, h, 6>},
    %p_: memref<1xi64> {ingot.role = "input"},
    %y_: memref<1x?x4xf32> {ingot.role = "output", ingot.dims = #ingot.dims<1, h * 2, 4>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<1x5x?x6xf32> to memref<1x5x?x6xf32>
      %p = mega.access read %p_ : memref<1xi64> to memref<1xi64>
      %y = mega.access write %y_ : memref<1x?x4xf32> to memref<1x?x4xf32>
      // expected-error @+1 {{has operands that do not fit together: h has to be h * 2, as with h = }}
      ingot.merge_pages ins(%x : memref<1x5x?x6xf32>) past(%p : memref<1xi64>) count(%p : memref<1xi64>) outs(%y : memref<1x?x4xf32>)
    }
  }
  mega.return
}

// -----

// More tokens than the rows of the batch have.
ingot.dim @b
ingot.dim @t
mega.program @cache_store(
    %x_: memref<?x2x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<b * t + 1, 2, 8>},
    %p_: memref<?xi64> {ingot.role = "input", ingot.dims = #ingot.dims<b>},
    %k_: !ingot.cache<heads = 2, key_depth = 8, value_depth = 4, type = f32, window = 0> {ingot.role = "cache"}) {
  %c0 = arith.constant 0 : index
  %t = ingot.size <t>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<?x2x8xf32> to memref<?x2x8xf32>
      %p = mega.access read %p_ : memref<?xi64> to memref<?xi64>
      // expected-error @+1 {{has operands that do not fit together: }}
      ingot.cache_store <keys> ins(%x : memref<?x2x8xf32>) rows(%c0 of %t) past(%p : memref<?xi64>) count(%p : memref<?xi64>) into(%k_ : !ingot.cache<heads = 2, key_depth = 8, value_depth = 4, type = f32, window = 0>)
    }
  }
  mega.return
}

// -----

// What a reduction goes over.
ingot.dim @k
ingot.dim @l
mega.program @generic(
    %a_: memref<3x?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<3, k>},
    %b_: memref<?x4xf32> {ingot.role = "input", ingot.dims = #ingot.dims<l, 4>},
    %y_: memref<3x4xf32> {ingot.role = "output"}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %a = mega.access read %a_ : memref<3x?xf32> to memref<3x?xf32>
      %b = mega.access read %b_ : memref<?x4xf32> to memref<?x4xf32>
      %y = mega.access update %y_ : memref<3x4xf32> to memref<3x4xf32>
      // expected-error @+1 {{has operands that do not fit together: l has to be k, as with k = }}
      linalg.matmul ins(%a, %b : memref<3x?xf32>, memref<?x4xf32>) outs(%y : memref<3x4xf32>)
    }
  }
  mega.return
}

// -----

// Windows of five of which the last one ends behind the input.
ingot.dim @n
mega.program @window(
    %x_: memref<1x?x1xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1, n + 3, 1>},
    %w_: memref<5x1x1xf32> {ingot.role = "weight"},
    %y_: memref<1x?x1xf32> {ingot.role = "output", ingot.dims = #ingot.dims<1, n, 1>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<1x?x1xf32> to memref<1x?x1xf32>
      %w = mega.access read %w_ : memref<5x1x1xf32> to memref<5x1x1xf32>
      %y = mega.access update %y_ : memref<1x?x1xf32> to memref<1x?x1xf32>
      // expected-error @+1 {{has operands that do not fit together: n + 4 has to be no more than n + 3, as with n = }}
      linalg.conv_1d_nwc_wcf ins(%x, %w : memref<1x?x1xf32>, memref<5x1x1xf32>) outs(%y : memref<1x?x1xf32>)
    }
  }
  mega.return
}

// -----

// What an op needs is asked of it.
ingot.dim @n
mega.program @unknown(
    %x_: memref<?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n>},
    %y_: memref<?xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n>}) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %x = mega.access read %x_ : memref<?xf32> to memref<?xf32>
      // expected-error @+1 {{not every element is written}}
      %y = mega.access write %y_ : memref<?xf32> to memref<?xf32>
      // expected-error @+1 {{cannot be proved: what it needs of the extents of its operands is not known}}
      memref.copy %x, %y : memref<?xf32> to memref<?xf32>
    }
  }
  mega.return
}
