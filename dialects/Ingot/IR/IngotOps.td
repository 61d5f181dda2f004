#ifndef INGOT_OPS
#define INGOT_OPS
include "mlir/IR/OpBase.td"

def Ingot_Dialect : Dialect {
  let name = "ingot";
  let cppNamespace = "::ingot";
  let summary = "Transformer graphs whose values are tensors";
}
#endif
