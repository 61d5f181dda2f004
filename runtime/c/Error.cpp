//===- Error.cpp - messages and names of the C API ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/c/Handles.h"

#include <iterator>

using namespace ingot::rt;

static_assert(int(Code::InvalidArgument) == INGOT_INVALID_ARGUMENT &&
              int(Code::NotFound) == INGOT_NOT_FOUND &&
              int(Code::IoError) == INGOT_IO_ERROR &&
              int(Code::CorruptArtifact) == INGOT_CORRUPT_ARTIFACT &&
              int(Code::UnsupportedVersion) == INGOT_UNSUPPORTED_VERSION &&
              int(Code::UnsupportedCpu) == INGOT_UNSUPPORTED_CPU &&
              int(Code::OutOfMemory) == INGOT_OUT_OF_MEMORY &&
              int(Code::Cancelled) == INGOT_CANCELLED &&
              int(Code::TimeLimit) == INGOT_TIME_LIMIT &&
              int(Code::RuntimeCheck) == INGOT_RUNTIME_CHECK &&
              int(Code::CompilerUnavailable) == INGOT_COMPILER_UNAVAILABLE &&
              int(Code::CompileFailed) == INGOT_COMPILE_FAILED &&
              int(Code::Internal) == INGOT_INTERNAL &&
              int(Code::SequenceFull) == INGOT_SEQUENCE_FULL);
static_assert(int(DType::F32) == INGOT_F32 && int(DType::F64) == INGOT_F64 &&
              int(DType::F16) == INGOT_F16 && int(DType::BF16) == INGOT_BF16 &&
              int(DType::Bool) == INGOT_BOOL && int(DType::I8) == INGOT_I8 &&
              int(DType::I16) == INGOT_I16 && int(DType::I32) == INGOT_I32 &&
              int(DType::I64) == INGOT_I64 && int(DType::U8) == INGOT_U8 &&
              int(DType::U16) == INGOT_U16 && int(DType::U32) == INGOT_U32 &&
              int(DType::U64) == INGOT_U64 && int(DType::I4) == INGOT_I4 &&
              int(DType::U4) == INGOT_U4 && int(DType::I2) == INGOT_I2 &&
              int(DType::U2) == INGOT_U2);

// A string object may need memory just when there is none: then the message is
// this one.
static constexpr const char *noMemoryMessage = "out of memory";
static thread_local std::string lastMessage;
static thread_local bool isMessageLost = false;

void ingot::rt::clearError() {
  lastMessage.clear();
  isMessageLost = false;
}

ingot_status ingot::rt::report(const Status &status) {
  try {
    lastMessage = status.message();
  } catch (...) {
    isMessageLost = true;
  }
  return static_cast<ingot_status>(status.code());
}

const char *ingot_last_error(void) {
  return isMessageLost ? noMemoryMessage : lastMessage.c_str();
}

const char *ingot_status_name(ingot_status status) {
  static constexpr const char *names[] = {"ok",
                                          "invalid argument",
                                          "not found",
                                          "input or output error",
                                          "corrupt artifact",
                                          "unsupported version",
                                          "unsupported CPU",
                                          "out of memory",
                                          "cancelled",
                                          "time limit",
                                          "runtime check",
                                          "compiler unavailable",
                                          "compilation failed",
                                          "internal error",
                                          "sequence full"};
  auto index = static_cast<unsigned>(status);
  return index < std::size(names) ? names[index] : "unknown status";
}

const char *ingot_version(void) { return INGOT_VERSION; }

size_t ingot_dtype_bytes(ingot_dtype dtype) {
  auto number = static_cast<unsigned>(dtype);
  return isDType(number) ? elementBytes(static_cast<DType>(number)) : 0;
}

const char *ingot_dtype_name(ingot_dtype dtype) {
  auto number = static_cast<unsigned>(dtype);
  return isDType(number) ? dtypeName(static_cast<DType>(number)).data()
                         : "unknown";
}
