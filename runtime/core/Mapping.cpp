//===- Mapping.cpp - memory from mmap, owned ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Mapping.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

using namespace ingot::rt;

std::string ingot::rt::systemError() {
  return std::generic_category().message(errno);
}

Mapping::~Mapping() {
  if (start)
    munmap(start, length);
}

void Mapping::preferLargePages() const {
  if (start)
    (void)madvise(start, length, MADV_HUGEPAGE);
}

void Mapping::populate() const {
  // Older systems than Linux 5.14 do not know it.
  if (start)
    (void)madvise(start, length, MADV_POPULATE_READ);
}

Result<Mapping> Mapping::readFile(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return failure(errno == ENOENT ? Code::NotFound : Code::IoError,
                   "cannot open '", path, "': ", systemError());
  struct stat info;
  void *start = nullptr;
  size_t length = 0;
  Status status;
  if (fstat(fd, &info) != 0) {
    status =
        failure(Code::IoError, "cannot examine '", path, "': ", systemError());
  } else if (!S_ISREG(info.st_mode)) {
    status = failure(Code::IoError, "'", path, "' is not a regular file");
  } else if (info.st_size > 0) {
    length = static_cast<size_t>(info.st_size);
    start = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (start == MAP_FAILED)
      status =
          failure(Code::IoError, "cannot map '", path, "': ", systemError());
  }
  close(fd);
  if (!status.ok())
    return status;
  return Mapping(start, length);
}

Result<Mapping> Mapping::allocate(size_t bytes) {
  if (bytes == 0)
    return Mapping();
  void *start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    return failure(Code::OutOfMemory, "cannot allocate ", bytes,
                   " bytes: ", systemError());
  return Mapping(start, bytes);
}
