//===- Npy.h - numpy's .npy and .npz files --------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_IO_NPY_H
#define INGOT_TOOLS_INGOT_IO_NPY_H

#include "tools/ingot/io/Tensor.h"

#include <span>

namespace ingot::cli {

/// Decodes the bytes of an .npy file (format 1 to 3; both byte orders; C and
/// Fortran order). `what` names it in errors. Two-byte void elements, as
/// ml_dtypes writes them, are bfloat16.
Tensor decodeNpy(std::span<const std::byte> bytes, const std::string &what);

/// The bytes of an .npy file.
std::string encodeNpy(const Tensor &tensor);

/// Reads one .npy file.
Tensor readNpy(const std::string &path);

/// Reads all arrays of an .npz file (stored or deflated members); a tensor's
/// name is its member's without ".npy".
std::vector<Tensor> readNpz(const std::string &path);

/// As readNpz, from memory.
std::vector<Tensor> decodeNpz(std::span<const std::byte> bytes,
                              const std::string &what);

/// Writes an .npz file with stored members, as numpy.savez does.
void writeNpz(const std::string &path, const std::vector<Tensor> &tensors);

/// The bytes that writeNpz writes.
std::string encodeNpz(const std::vector<Tensor> &tensors);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_IO_NPY_H
