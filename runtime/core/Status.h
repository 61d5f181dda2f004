//===- Status.h - error values of the runtime -*- C++ -*- -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The runtime reports failure by value: a code that hosts can switch on and a
// message for people. Exceptions stay inside (only the standard library
// throws, for want of memory).
#ifndef INGOT_RUNTIME_CORE_STATUS_H
#define INGOT_RUNTIME_CORE_STATUS_H

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ingot::rt {

/// What kind of failure. The values are those of ingot_status in ingot.h.
enum class Code {
  Ok = 0,
  InvalidArgument = 1,
  NotFound = 2,
  IoError = 3,
  CorruptArtifact = 4,
  UnsupportedVersion = 5,
  UnsupportedCpu = 6,
  OutOfMemory = 7,
  Cancelled = 8,
  TimeLimit = 9,
  RuntimeCheck = 10,
  CompilerUnavailable = 11,
  CompileFailed = 12,
  Internal = 13,
  SequenceFull = 14,
};

/// Success, or a code with a message.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Code code, std::string message)
      : kind(code), text(std::move(message)) {}

  bool ok() const { return kind == Code::Ok; }
  Code code() const { return kind; }
  const std::string &message() const { return text; }

private:
  Code kind = Code::Ok;
  std::string text;
};

/// A value, or why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : content(std::in_place_index<0>, std::move(value)) {}
  Result(Status failure)
      : content(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return content.index() == 0; }
  T &operator*() { return *std::get_if<0>(&content); }
  T *operator->() { return std::get_if<0>(&content); }
  /// The failure; an ok status if there is a value.
  Status status() const {
    const Status *failure = std::get_if<1>(&content);
    return failure ? *failure : Status();
  }

private:
  std::variant<T, Status> content;
};

namespace detail {
inline void append(std::string &out, std::string_view text) { out += text; }
template <typename T>
  requires std::is_arithmetic_v<T>
void append(std::string &out, T number) {
  out += std::to_string(number);
}
} // namespace detail

/// One string from strings and numbers: concat("dim ", 3, " of '", name, "'").
template <typename... Parts> std::string concat(const Parts &...parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

/// A failed status whose message is concat(parts...).
template <typename... Parts> Status failure(Code code, const Parts &...parts) {
  return Status(code, concat(parts...));
}

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_STATUS_H
