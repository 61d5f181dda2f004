// RUN: ingot-opt %s -ingot-choose-program -split-input-file -verify-diagnostics

module attributes {ingot.decider = "use"} {
  // expected-error @below {{the cache cannot become state: there is one whether input 'use' is true or false; choose with --set use=true or =false}}
  func.func @main(%x: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, s, 4>, ingot.name = "x"},
                  %past: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, p, 4>, ingot.name = "past"})
      -> (tensor<?x2x?x4xf32> {ingot.name = "present"}) {
    %all = ingot.concat %past, %x {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    return %all : tensor<?x2x?x4xf32>
  }
  func.func @otherwise(%x: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, s, 4>, ingot.name = "x"},
                       %past: tensor<?x2x?x4xf32> {ingot.dims = #ingot.dims<b, 2, p, 4>, ingot.name = "past"})
      -> (tensor<?x2x?x4xf32> {ingot.name = "present"}) {
    %all = ingot.concat %past, %x {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    return %all : tensor<?x2x?x4xf32>
  }
}

// -----

// expected-error @below {{has no two programs for input 'use' to decide between}}
module attributes {ingot.decider = "use"} {
  func.func @main(%x: tensor<?xf32> {ingot.dims = #ingot.dims<b>, ingot.name = "x"}) -> (tensor<?xf32> {ingot.name = "y"}) {
    return %x : tensor<?xf32>
  }
}
