// RUN: ingot-opt %s -ingot-lower-cache-handles | FileCheck %s

!cache = !ingot.cache<heads = 3, key_depth = 64, value_depth = 32, type = f16, window = 0>
!part = !ingot.cache<heads = 1, key_depth = 64, value_depth = 32, type = f16, window = 0>

// CHECK: func.func private @callee(!llvm.struct<(ptr, i64, i64, i64)>)
func.func private @callee(!cache)

// CHECK-LABEL: func.func @page(
// CHECK-SAME: %[[H:[a-z0-9]+]]: !llvm.struct<(ptr, i64, i64, i64)> {ingot.role = "cache"}, %[[ROW:[a-z0-9]+]]: index
func.func @page(%cache: !cache {ingot.role = "cache"}, %row: index, %head: index, %page: index)
    -> memref<1x128x32xf16> {
  // CHECK: call @callee(%[[H]]) : (!llvm.struct<(ptr, i64, i64, i64)>) -> ()
  call @callee(%cache) : (!cache) -> ()
  // The table of the first row of the part: 8 bytes for each page before.
  // CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %{{.*}} : i64
  // CHECK: %[[BYTES:.*]] = arith.muli %[[FIRST]], %c8_i64
  // CHECK: llvm.getelementptr %{{.*}}[%[[BYTES]]]
  // Keys of a head are 64 x 128 halves, values 128 x 32.
  // CHECK: arith.muli %{{.*}}, %c16384_i64
  // CHECK: arith.muli %{{.*}}, %c8192_i64
  // CHECK: %[[PART:.*]] = llvm.insertvalue %{{.*}}[3]
  %0 = ingot.cache_part %cache[%row, %head] : !cache to !part
  // CHECK: %[[ADDRESS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
  // CHECK: %[[OFFSET:.*]] = llvm.extractvalue %[[PART]][3]
  // CHECK: llvm.getelementptr %[[ADDRESS]][%[[OFFSET]]]
  // CHECK: memref.view {{.*}} to memref<1x128x32xf16>
  // CHECK-NOT: ingot.cache
  %keys, %values = ingot.cache_page %0[%row, %page] : !part to memref<1x64x128xf16>, memref<1x128x32xf16>
  return %values : memref<1x128x32xf16>
}

// What is a handle by a cast is the handle.
// CHECK-LABEL: func.func @entry(
// CHECK-SAME: %[[H:[a-z0-9]+]]:
// CHECK-NEXT: call @callee(%[[H]])
func.func @entry(%handle: !llvm.struct<(ptr, i64, i64, i64)>) {
  %cache = builtin.unrealized_conversion_cast %handle : !llvm.struct<(ptr, i64, i64, i64)> to !cache
  call @callee(%cache) : (!cache) -> ()
  return
}
