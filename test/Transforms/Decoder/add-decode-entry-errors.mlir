// RUN: ingot-opt %s -split-input-file -ingot-add-decode-entry -verify-diagnostics

// expected-error @below {{does not say which input holds its tokens}}
func.func @all(%ids: tensor<1x?xi64> {ingot.dims = #ingot.dims<1, seq>, ingot.name = "ids"}) -> tensor<1x?xi64> {
  return %ids : tensor<1x?xi64>
}

// -----

// expected-error @below {{does not say which input holds its tokens}}
func.func @all(%ids: tensor<1x?xi64> {ingot.dims = #ingot.dims<1, seq>, ingot.name = "ids"}) -> tensor<1x?xi64>
    attributes {ingot.state = {tokens = "others"}} {
  return %ids : tensor<1x?xi64>
}
