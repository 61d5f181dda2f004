//===- NewFile.h - a file that appears when it is done -*- C++ -*- --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_RUNTIME_CORE_NEWFILE_H
#define INGOT_RUNTIME_CORE_NEWFILE_H

#include "runtime/core/Status.h"

namespace ingot::rt {

/// A file under construction, beside its place; gone if it is not finished.
class NewFile {
public:
  explicit NewFile(std::string path) : path(std::move(path)) {}
  NewFile(const NewFile &) = delete;
  NewFile &operator=(const NewFile &) = delete;
  ~NewFile();

  /// For the user alone, or for everyone whom the umask admits.
  enum class Access { Private, Shared };
  Status open(Access access);
  Status write(const void *data, size_t bytes);
  /// Puts it in its place, over a file that is there.
  Status finish();

private:
  Status fail(std::string_view what) const;

  std::string path, temporary;
  int fd = -1;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_NEWFILE_H
