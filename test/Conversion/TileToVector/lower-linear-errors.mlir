// RUN: not ingot-opt %s --ingot-lower-linear=target=z80 2>&1 | FileCheck %s
// RUN: not ingot-opt %s --ingot-lower-attention=target=z80 2>&1 | FileCheck %s
// RUN: not ingot-opt %s --ingot-lower-quantized=target=z80 2>&1 | FileCheck %s
// RUN: not ingot-opt %s --ingot-lower-cache=target=z80 2>&1 | FileCheck %s

// CHECK: error: unknown target CPU 'z80'; known are native, x86-64-v3, x86-64-v3+avxvnni, x86-64-v4, x86-64-v4+avx512vnni, x86-64-v4+avx512vnni+avx512bf16, aarch64
func.func @nothing() {
  return
}
