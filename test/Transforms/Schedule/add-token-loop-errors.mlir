// RUN: ingot-opt %s -mega-add-sampler -mega-add-token-loop --verify-diagnostics

mega.program @main() attributes {ingot.state = {tokens = "ids", past = "past", logits = "out"}} {
  mega.return
}
// expected-error @below {{has not what a loop over tokens needs}}
mega.program @decode(%ids: memref<?x1xi64> {ingot.role = "input", ingot.name = "ids"}) {
  mega.return
}
