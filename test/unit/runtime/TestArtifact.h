//===- TestArtifact.h - artifacts and sessions for tests -*- C++ -*- ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What the runtime's tests share: a folder that goes away, the images that the
// build made of TestImage.c, and artifacts over them.
#ifndef INGOT_TEST_UNIT_RUNTIME_TESTARTIFACT_H
#define INGOT_TEST_UNIT_RUNTIME_TESTARTIFACT_H

#include "ingot/Target/ArtifactWriter.h"
#include "runtime/core/Session.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace ingot::rt::test {

using Bytes = std::vector<unsigned char>;

/// Modes of TestImage.c; 1 adds as well, for hosts that fill in ones.
enum Mode : int32_t { Add = 0, Fail = 2, Spin = 3, Rounding = 4 };

/// A folder of its own for one test.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "ingot-test-XXXXXX").string();
    if (mkdtemp(name.data()))
      path = name;
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path); }

  std::string file(const std::string &name) const { return path / name; }
  size_t entries() const {
    return std::distance(std::filesystem::directory_iterator(path), {});
  }

  std::filesystem::path path;
};

inline Bytes readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void writeFile(const std::string &path, const Bytes &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

/// An image that the build made: "good", or a variant.
inline Bytes image(const std::string &variant = "good") {
  Bytes bytes =
      readFile(std::string(INGOT_TEST_IMAGES) + "/" + variant + ".so");
  EXPECT_FALSE(bytes.empty()) << variant;
  return bytes;
}

/// The manifest of TestImage.c.
inline Manifest manifest() {
  Manifest manifest;
  manifest.version = "test";
  manifest.source = "test.onnx";
  manifest.cpuFeatures = {"sse2"};
  manifest.symbols = {{"batch", 0, 1000}, {"n"}};
  std::vector<Dim> matrix = {Dim::symbolic("batch"), Dim::symbolic("n")};
  manifest.inputs = {{"a", DType::F32, matrix},
                     {"b", DType::F32, matrix},
                     {"mode", DType::I32, {Dim::fixed(1)}}};
  manifest.outputs = {{"sum", DType::F32, matrix},
                      {"report", DType::I64, {Dim::fixed(1)}}};
  manifest.errors = {"", "n is too large", "the check failed on request"};
  manifest.weights = {{"w", 0, 4, DType::U8, {4}}};
  manifest.stages = {{"s0",
                      "add",
                      "Add_1",
                      "batch * n",
                      "12 * n",
                      "batch",
                      "barrier",
                      {0},
                      {1}}};
  manifest.buffers = {{"a", "", "", false}, {"", "0", "batch * 8", true}};
  manifest.ops = {{"add", 1}};
  manifest.arena = "8 * workers";
  return manifest;
}

/// The first byte is added to every element by TestImage.c.
inline Bytes weights() { return {10, 20, 30, 40}; }

/// The file of an artifact.
inline Bytes artifactBytes(const Manifest &manifest, const Bytes &image,
                           const Bytes &weights) {
  TemporaryFolder folder;
  Status status = writeArtifact({manifest, image, weights}, folder.file("a"));
  EXPECT_TRUE(status.ok()) << status.message();
  return readFile(folder.file("a"));
}

inline Bytes artifactBytes() {
  return artifactBytes(manifest(), image(), weights());
}

inline Result<std::shared_ptr<const Model>> loadModel(const Bytes &bytes) {
  auto artifact = Artifact::fromMemory(bytes);
  if (!artifact.ok())
    return artifact.status();
  return Model::create(*artifact);
}

/// A session over the good image.
inline std::unique_ptr<Session> makeSession(SessionOptions options) {
  auto model = loadModel(artifactBytes());
  EXPECT_TRUE(model.ok()) << model.status().message();
  auto session = Session::create(*model, std::move(options));
  EXPECT_TRUE(session.ok()) << session.status().message();
  return std::move(*session);
}

inline std::unique_ptr<Session> makeSession(int threads = 2) {
  SessionOptions options;
  options.threads = threads;
  return makeSession(std::move(options));
}

/// The inputs of one run; element i of a is i, every element of b is 1000.
struct Feeds {
  Feeds(int64_t batch, int64_t n, Mode mode)
      : dims{batch, n}, a(batch * n), b(batch * n, 1000), mode(mode) {
    for (size_t i = 0; i < a.size(); ++i)
      a[i] = static_cast<float>(i);
    views = {view("a", a),
             view("b", b),
             {"mode", unsigned(DType::I32), one, &this->mode, 4}};
  }
  Feeds(const Feeds &) = delete;
  Feeds &operator=(const Feeds &) = delete;

  TensorView view(const char *name, std::vector<float> &data) {
    return {name, unsigned(DType::F32), dims, data.data(),
            data.size() * sizeof(float)};
  }

  std::vector<int64_t> dims, one = {1};
  std::vector<float> a, b;
  int32_t mode;
  std::vector<TensorView> views;
};

/// Checks the outputs of a run in mode Add.
inline void expectSum(const RunResult &result, const Feeds &feeds) {
  ASSERT_EQ(result.outputs.size(), 2u);
  const Output &sum = result.outputs[0];
  EXPECT_EQ(sum.dims, feeds.dims);
  ASSERT_EQ(sum.bytes, feeds.a.size() * sizeof(float));
  const float *values = static_cast<const float *>(sum.data);
  for (size_t i = 0; i < feeds.a.size(); ++i)
    ASSERT_EQ(values[i], feeds.a[i] + feeds.b[i] + 10) << i;
  EXPECT_EQ(*static_cast<const int64_t *>(result.outputs[1].data),
            static_cast<int64_t>(feeds.a.size()));
}

} // namespace ingot::rt::test

#endif // INGOT_TEST_UNIT_RUNTIME_TESTARTIFACT_H
