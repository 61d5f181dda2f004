//===- NewFile.cpp - a file that appears when it is done ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/NewFile.h"

#include "runtime/core/Mapping.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

using namespace ingot::rt;

NewFile::~NewFile() {
  if (fd >= 0)
    close(fd);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Status NewFile::open(Access access) {
  mode_t mode = access == Access::Private ? 0600 : 0666;
  for (unsigned attempt = 0; attempt < 100 && fd < 0; ++attempt) {
    std::string name = concat(path, ".tmp-", getpid(), "-", attempt);
    fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0)
      temporary = std::move(name);
    else if (errno != EEXIST)
      break;
  }
  return fd < 0 ? fail("create") : Status();
}

Status NewFile::write(const void *data, size_t bytes) {
  const auto *next = static_cast<const unsigned char *>(data);
  while (bytes > 0) {
    ssize_t written = ::write(fd, next, bytes);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return fail("write");
    next += written;
    bytes -= written;
  }
  return {};
}

Status NewFile::finish() {
  int result = close(fd);
  fd = -1;
  if (result != 0)
    return fail("write");
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return fail("make");
  temporary.clear();
  return {};
}

Status NewFile::fail(std::string_view what) const {
  return failure(Code::IoError, "cannot ", what, " '", path,
                 "': ", systemError());
}
