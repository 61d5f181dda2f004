//===- LinkImage.cpp - objects to one self-contained image ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Target/ObjectCode.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace {

/// A folder that goes away with what is in it.
class TemporaryFolder {
public:
  std::error_code create() {
    return sys::fs::createUniqueDirectory("ingot-link", path);
  }
  ~TemporaryFolder() {
    if (path.empty())
      return;
    // What cannot be removed harms nothing.
    std::error_code code = sys::fs::remove_directories(path);
    (void)code;
  }
  std::string file(const Twine &name) const {
    SmallString<128> result = path;
    sys::path::append(result, name);
    return std::string(result);
  }

private:
  SmallString<128> path;
};

/// Writes `data` to a new file; the error's text is empty on success.
std::string writeFile(StringRef path, StringRef data) {
  std::error_code code;
  raw_fd_ostream stream(path, code);
  if (!code) {
    stream << data;
    stream.close();
    code = stream.error();
    stream.clear_error();
  }
  return code ? ("cannot write '" + path + "': " + code.message()).str() : "";
}

} // namespace

SmallVector<char, 0> ingot::linkImage(ArrayRef<StringRef> objects,
                                      const TargetInfo &target,
                                      std::string &error) {
  TemporaryFolder folder;
  if (std::error_code code = folder.create()) {
    error = "cannot create a temporary folder: " + code.message();
    return {};
  }
  std::string output = folder.file("image.so");
  std::vector<std::string> arguments = {"ld.lld",
                                        "-shared",
                                        "-nostdlib",
                                        "--no-undefined",
                                        "--gc-sections",
                                        "-Bsymbolic",
                                        "--strip-all",
                                        "--build-id=none",
                                        "--threads=1",
                                        "--hash-style=both",
                                        "-z",
                                        "text",
                                        "-z",
                                        "noexecstack",
                                        "-z",
                                        "separate-code",
                                        "-z",
                                        "norelro",
                                        "-z",
                                        target.isX86 ? "max-page-size=4096"
                                                     : "max-page-size=65536",
                                        "-o",
                                        output};
  for (auto [i, object] : enumerate(objects)) {
    std::string path = folder.file("part" + Twine(i) + ".o");
    error = writeFile(path, object);
    if (!error.empty())
      return {};
    arguments.push_back(path);
  }
  std::vector<const char *> pointers;
  pointers.reserve(arguments.size());
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());

  std::string messages;
  raw_string_ostream stream(messages);
  {
    // The linker keeps its state in globals.
    static std::mutex linkerMutex;
    std::lock_guard<std::mutex> lock(linkerMutex);
    lld::Result result =
        lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
    // It makes handlers of signals, which are the host's to handle.
    sys::unregisterHandlers();
    if (result.retCode != 0) {
      error = "linking the image failed: " + messages;
      return {};
    }
  }
  auto buffer = MemoryBuffer::getFile(output, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer) {
    error = "cannot read the linked image: " + buffer.getError().message();
    return {};
  }
  StringRef data = (*buffer)->getBuffer();
  return SmallVector<char, 0>(data.begin(), data.end());
}
