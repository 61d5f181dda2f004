// RUN: ingot-opt %s -split-input-file -verify-diagnostics

func.func @none(%i: index) -> tensor<3xf32> {
  // expected-error @below {{has no weight to choose from}}
  %0 = ingot.weight_member [][%i] : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @unknown(%i: index) -> tensor<3xf32> {
  // expected-error @below {{refers to @a, which is no declared weight}}
  %0 = ingot.weight_member [@a][%i] : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

ingot.weight @a : tensor<3xf32> in "m.onnx" at 0 length 12
// expected-note @below {{declared here}}
ingot.weight @b : tensor<4xf32> in "m.onnx" at 12 length 16
func.func @types(%i: index) -> tensor<3xf32> {
  // expected-error @below {{has type 'tensor<3xf32>', but the weight has 'tensor<4xf32>'}}
  %0 = ingot.weight_member [@a, @b][%i] : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @bytes(%i: index, %f: tensor<76xi32>) -> tensor<3xf32> {
  // expected-error @below {{takes bytes, not 'tensor<76xi32>'}}
  %0 = ingot.weight_view %f[%i] stride 64 : tensor<76xi32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @overlap(%i: index, %f: tensor<76xi8>) -> tensor<3xf32> {
  // expected-error @below {{gives 12 bytes of members that are 8 bytes apart in 76}}
  %0 = ingot.weight_view %f[%i] stride 8 : tensor<76xi8> to tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @narrow(%i: index, %f: tensor<76xi8>) -> tensor<3xi4> {
  // expected-error @below {{gives elements of 'i4'}}
  %0 = ingot.weight_view %f[%i] stride 64 : tensor<76xi8> to tensor<3xi4>
  return %0 : tensor<3xi4>
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @no_cache(%i: index) -> !cache {
  // expected-error @below {{has no cache to choose from}}
  %0 = "ingot.cache_member"(%i) : (index) -> !cache
  return %0 : !cache
}

// -----

!cache = !ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>
!other = !ingot.cache<heads = 2, key_depth = 4, value_depth = 4, type = f32, window = 0>
func.func @cache_types(%i: index, %a: !cache, %b: !other) -> !cache {
  // expected-error @below {{chooses '!ingot.cache<heads = 1, key_depth = 4, value_depth = 4, type = f32, window = 0>' from '!ingot.cache<heads = 2}}
  %0 = "ingot.cache_member"(%i, %a, %b) : (index, !cache, !other) -> !cache
  return %0 : !cache
}
