// RUN: ingot-translate --ingot-to-image %s -o %t.so
// RUN: llvm-readelf --dyn-syms --relocs %t.so | FileCheck %s
// RUN: ingot-translate --ingot-to-llvmir %s | FileCheck %s --check-prefix=IR

// The image needs nothing from outside and exports two functions.
// CHECK: no relocations
// CHECK: contains 3 entries
// CHECK-DAG: ingot_sizes
// CHECK-DAG: ingot_entry

// IR-DAG: define i32 @ingot_sizes(
// IR-DAG: define void @ingot_entry(
// IR-DAG: define internal {{.*}}@stage_0(
func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%m) : tensor<?x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
