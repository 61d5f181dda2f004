#include "dialects/Ingot/IR/IngotDialect.h"
#include "dialects/Ingot/IR/IngotDialect.cpp.inc"
void ingot::IngotDialect::initialize() {}
