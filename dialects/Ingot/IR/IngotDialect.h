#pragma once
#include "mlir/IR/Dialect.h"
#include "dialects/Ingot/IR/IngotDialect.h.inc"
