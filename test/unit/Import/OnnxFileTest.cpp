//===- OnnxFileTest.cpp - tensors are located, not copied -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Import/Onnx/ModelFile.h"
#include "Import/Onnx/Wire.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"
#include <cstring>
#include <fstream>

using namespace ingot::onnxin;

namespace {

/// A model with one float initializer of `count` elements in raw bytes.
onnx::ModelProto modelWithWeight(int64_t count) {
  onnx::ModelProto model;
  model.set_ir_version(9);
  onnx::TensorProto &weight = *model.mutable_graph()->add_initializer();
  weight.set_name("w");
  weight.set_data_type(onnx::TensorProto::FLOAT);
  weight.add_dims(count);
  std::string raw;
  for (int64_t i = 0; i != count; ++i) {
    float value = float(i);
    raw.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  weight.set_raw_data(raw);
  return model;
}

std::unique_ptr<ModelFile> parse(const onnx::ModelProto &model,
                                 std::string &error,
                                 llvm::StringRef path = "some/model.onnx") {
  std::string bytes = model.SerializeAsString();
  return ModelFile::parse(llvm::MemoryBuffer::getMemBufferCopy(bytes), path,
                          error);
}

TEST(OnnxFile, LocatesPayloadsAndLeavesThemOut) {
  std::string file = modelWithWeight(4096).SerializeAsString();
  std::string kept, error;
  ASSERT_TRUE(stripTensors(file, WireLimits(), kept, error)) << error;
  EXPECT_LT(kept.size(), 200u);
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(kept));
  const onnx::TensorProto &weight = model.graph().initializer(0);
  EXPECT_EQ(weight.name(), "w");
  EXPECT_FALSE(weight.has_raw_data());
  ASSERT_EQ(weight.segment().end() - weight.segment().begin(), 4096 * 4);
  float last;
  std::memcpy(&last, file.data() + weight.segment().end() - 4, 4);
  EXPECT_EQ(last, 4095.0f);
}

TEST(OnnxFile, EveryTruncationIsRefusedOrParsed) {
  std::string file = modelWithWeight(64).SerializeAsString();
  for (size_t length = 0; length != file.size(); ++length) {
    std::string kept, error;
    if (!stripTensors(llvm::StringRef(file).take_front(length), WireLimits(),
                      kept, error))
      EXPECT_NE(error.find("at byte"), std::string::npos);
  }
}

TEST(OnnxFile, DeepNestingIsRefused) {
  // A graph in an attribute of a node of a graph, a hundred times.
  std::string inner;
  auto wrap = [&](char field) {
    std::string length;
    for (size_t left = inner.size();; left >>= 7) {
      length.push_back(char((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
      if (left <= 0x7f)
        break;
    }
    inner = std::string(1, char(field << 3 | 2)) + length + inner;
  };
  for (int i = 0; i != 100; ++i) {
    wrap(6); // AttributeProto.g
    wrap(5); // NodeProto.attribute
    wrap(1); // GraphProto.node
  }
  wrap(7); // ModelProto.graph
  std::string kept, error;
  EXPECT_FALSE(stripTensors(inner, WireLimits(), kept, error));
  EXPECT_NE(error.find("nested"), std::string::npos) << error;
}

TEST(OnnxFile, SegmentsOfTheFileItselfAreRefused) {
  onnx::ModelProto model = modelWithWeight(4);
  model.mutable_graph()->mutable_initializer(0)->mutable_segment()->set_begin(
      1 << 30);
  std::string error;
  EXPECT_EQ(parse(model, error), nullptr);
  EXPECT_NE(error.find("segment"), std::string::npos) << error;
}

TEST(OnnxFile, ResolvesRawAndTypedElements) {
  onnx::ModelProto model = modelWithWeight(256);
  onnx::TensorProto &typed = *model.mutable_graph()->add_initializer();
  typed.set_name("t");
  typed.set_data_type(onnx::TensorProto::FLOAT16);
  typed.add_dims(2);
  typed.add_int32_data(0x3c00);
  typed.add_int32_data(0x4000);
  std::string error;
  std::unique_ptr<ModelFile> file = parse(model, error);
  ASSERT_TRUE(file) << error;
  TensorData data;
  ASSERT_TRUE(file->resolve(file->model().graph().initializer(0), data, error));
  EXPECT_EQ(data.file, "model.onnx");
  EXPECT_EQ(data.bytes.size(), 1024u);
  ASSERT_TRUE(file->resolve(file->model().graph().initializer(1), data, error));
  EXPECT_TRUE(data.file.empty());
  EXPECT_EQ(data.bytes.size(), 4u);
  EXPECT_EQ(data.bytes[3], 0x40);
}

TEST(OnnxFile, DimsMustAgreeWithTheBytes) {
  for (int64_t dim : {int64_t(3), int64_t(-4), int64_t(1) << 62}) {
    onnx::ModelProto model = modelWithWeight(4);
    model.mutable_graph()->mutable_initializer(0)->set_dims(0, dim);
    std::string error;
    std::unique_ptr<ModelFile> file = parse(model, error);
    ASSERT_TRUE(file) << error;
    TensorData data;
    EXPECT_FALSE(
        file->resolve(file->model().graph().initializer(0), data, error));
    EXPECT_NE(error.find("'w'"), std::string::npos) << error;
  }
}

class ExternalData : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("ingot-import", folder));
    write("weights.bin", std::string(64, 'x'));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string at(llvm::StringRef name) {
    llvm::SmallString<128> path = folder;
    llvm::sys::path::append(path, name);
    return path.str().str();
  }
  void write(llvm::StringRef name, const std::string &bytes) {
    std::ofstream(at(name), std::ios::binary) << bytes;
  }
  /// Resolves a weight of 8 floats stored as the entries say; the error.
  std::string
  resolve(std::initializer_list<std::pair<const char *, std::string>> entries) {
    onnx::ModelProto model = modelWithWeight(8);
    onnx::TensorProto &weight = *model.mutable_graph()->mutable_initializer(0);
    weight.clear_raw_data();
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    for (auto &[key, value] : entries) {
      onnx::StringStringEntryProto &entry = *weight.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    std::string error;
    std::unique_ptr<ModelFile> file = parse(model, error, at("model.onnx"));
    if (!file)
      return error;
    TensorData data;
    if (!file->resolve(file->model().graph().initializer(0), data, error))
      return error;
    return data.bytes[0] == 'x' && data.file == "weights.bin" ? "" : "wrong";
  }

  llvm::SmallString<128> folder;
};

TEST_F(ExternalData, IsFoundBesideTheModel) {
  EXPECT_EQ(resolve({{"location", "weights.bin"}, {"offset", "32"}}), "");
}

TEST_F(ExternalData, StaysInsideFileAndFolder) {
  auto refused = [](const std::string &error) {
    return error.find("'w'") != std::string::npos;
  };
  EXPECT_TRUE(refused(resolve({{"location", "absent.bin"}})));
  EXPECT_TRUE(refused(resolve({{"location", "../weights.bin"}})));
  EXPECT_TRUE(refused(resolve({{"location", at("weights.bin")}})));
  EXPECT_TRUE(refused(resolve({{"location", ""}})));
  EXPECT_TRUE(
      refused(resolve({{"location", "weights.bin"}, {"offset", "33"}})));
  EXPECT_TRUE(refused(resolve(
      {{"location", "weights.bin"}, {"offset", "18446744073709551615"}})));
  EXPECT_TRUE(
      refused(resolve({{"location", "weights.bin"}, {"offset", "-4"}})));
  EXPECT_TRUE(refused(resolve({{"location", "weights.bin"}, {"length", "8"}})));
}

TEST_F(ExternalData, LinksOutsideAreRefused) {
  ASSERT_FALSE(llvm::sys::fs::create_link("/proc/self/status", at("link.bin")));
  EXPECT_NE(resolve({{"location", "link.bin"}}).find("folder"),
            std::string::npos);
}

} // namespace
