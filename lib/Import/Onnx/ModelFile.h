//===- ModelFile.h - an ONNX file and the tensor data it refers to ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_MODELFILE_H
#define INGOT_LIB_IMPORT_ONNX_MODELFILE_H

#include "mlir/Support/LLVM.h"
#include "onnx-ml.pb.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <string>
#include <vector>

namespace ingot::onnxin {

/// A tensor whose value the file gives. Its elements lie in a mapped file, or
/// in memory of our own when the file keeps them in another form.
struct TensorData {
  int dtype = 0; ///< onnx::TensorProto::DataType.
  llvm::SmallVector<int64_t> dims;
  int64_t elements = 1;
  /// Little endian, in row-major order; elements below a byte are packed from
  /// the lowest bits of each byte on.
  llvm::ArrayRef<char> bytes;
  /// Name of the file that holds `bytes` (relative to the model's folder) and
  /// where; empty when they are in `owned`.
  std::string file;
  uint64_t offset = 0;
  std::shared_ptr<std::vector<char>> owned;
};

/// The number of bits of one element of an ONNX element type, or 0 where it is
/// none that this importer represents (strings, complex numbers, small floats).
unsigned bitsOf(int dtype);

/// The bytes that `count` elements of `bits` bits take when they are packed.
inline int64_t packedBytes(int64_t count, unsigned bits) {
  int64_t each = 8 / bits;
  return count / each + (count % each != 0);
}

/// The standard's name of an element type, such as "float8e4m3fn".
llvm::StringRef dtypeName(int dtype);

/// A parsed ONNX model whose large tensors stay in the files that hold them.
class ModelFile {
public:
  /// Maps and parses `path`. On failure returns null and sets `error`, which
  /// names the file.
  static std::unique_ptr<ModelFile> open(llvm::StringRef path,
                                         std::string &error);
  /// Parses a model held by `buffer`. External data is looked for beside
  /// `path`, and refused when that is empty.
  static std::unique_ptr<ModelFile>
  parse(std::unique_ptr<llvm::MemoryBuffer> buffer, llvm::StringRef path,
        std::string &error);

  const onnx::ModelProto &model() const { return *proto; }
  llvm::StringRef path() const { return modelPath; }

  /// Finds the elements of `tensor`, checking that their number agrees with its
  /// dims. On failure returns false and sets `error`, which names the tensor.
  bool resolve(const onnx::TensorProto &tensor, TensorData &data,
               std::string &error);

private:
  bool resolveExternal(const onnx::TensorProto &tensor, uint64_t wanted,
                       TensorData &data, std::string &error);
  const llvm::MemoryBuffer *external(llvm::StringRef location,
                                     std::string &error);

  std::string modelPath;
  std::unique_ptr<llvm::MemoryBuffer> file;
  std::unique_ptr<onnx::ModelProto> proto;
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> externals;
};

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_MODELFILE_H
