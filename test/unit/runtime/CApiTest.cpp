//===- CApiTest.cpp - the C API and its C++ header ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestArtifact.h"

#include "runtime/c/ingot.hpp"

using namespace ingot::rt::test;

static const std::string fakeCompiler =
    std::string(INGOT_TEST_IMAGES) + "/libFakeCompiler.so";

static std::string writeArtifactFile(const TemporaryFolder &folder,
                                     const std::string &name) {
  std::string path = folder.file(name);
  writeFile(path, artifactBytes());
  return path;
}

TEST(CApi, LoadsDescribesAndRuns) {
  TemporaryFolder folder;
  std::string path = writeArtifactFile(folder, "model.ingot");
  ingot_model *model = nullptr;
  ASSERT_EQ(ingot_model_load(path.c_str(), nullptr, &model), INGOT_OK);
  EXPECT_STREQ(ingot_last_error(), "");
  ASSERT_EQ(ingot_model_input_count(model), 3u);
  ASSERT_EQ(ingot_model_output_count(model), 2u);
  ingot_tensor_info info;
  ASSERT_EQ(ingot_model_input(model, 0, &info), INGOT_OK);
  EXPECT_STREQ(info.name, "a");
  EXPECT_EQ(info.rank, 2);
  EXPECT_EQ(info.dims[1], -1);
  EXPECT_STREQ(info.dim_texts[1], "n");
  EXPECT_EQ(ingot_model_output(model, 2, &info), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_last_error(),
               "the model has 2 outputs, there is no number 2");

  ingot_session *session = nullptr;
  ASSERT_EQ(ingot_session_create(model, nullptr, &session), INGOT_OK);
  ingot_model_free(model); // The session keeps what it needs.
  EXPECT_GE(ingot_session_threads(session), 1);

  float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, sum[4] = {};
  int32_t mode = Add;
  int64_t dims[] = {2, 2}, one = 1;
  ingot_tensor inputs[] = {{"a", INGOT_F32, 2, dims, a, sizeof a},
                           {"b", INGOT_F32, 2, dims, b, sizeof b},
                           {"mode", INGOT_I32, 1, &one, &mode, sizeof mode}};
  ingot_result *result = nullptr;
  ASSERT_EQ(ingot_session_shapes(session, inputs, 3, &result), INGOT_OK);
  ingot_tensor output;
  ASSERT_EQ(ingot_result_output(result, 0, &output), INGOT_OK);
  EXPECT_EQ(output.data, nullptr);
  EXPECT_EQ(output.bytes, 16u);
  ingot_result_free(result);

  ASSERT_EQ(ingot_session_run(session, inputs, 3, nullptr, 0, nullptr, &result),
            INGOT_OK)
      << ingot_last_error();
  ASSERT_EQ(ingot_result_output_count(result), 2u);
  ASSERT_EQ(ingot_result_output(result, 0, &output), INGOT_OK);
  EXPECT_STREQ(output.name, "sum");
  EXPECT_EQ(output.dims[1], 2);
  EXPECT_EQ(static_cast<float *>(output.data)[3], 22);
  ingot_run_stats stats;
  ASSERT_EQ(ingot_result_stats(result, &stats), INGOT_OK);
  EXPECT_GE(stats.workers, 1);
  ingot_result_free(result);

  ingot_tensor wanted = {"sum", INGOT_F32, 0, nullptr, sum, sizeof sum};
  ASSERT_EQ(ingot_session_run(session, inputs, 3, &wanted, 1, nullptr, nullptr),
            INGOT_OK);
  EXPECT_EQ(sum[0], 16);
  ingot_session_free(session);
}

TEST(CApi, NullIsRefusedEverywhere) {
  ingot_model *model = nullptr;
  ingot_session *session = nullptr;
  ingot_result *result = nullptr;
  ingot_status invalid = INGOT_INVALID_ARGUMENT;
  EXPECT_EQ(ingot_model_load(nullptr, nullptr, &model), invalid);
  EXPECT_STREQ(ingot_last_error(), "path is null");
  EXPECT_EQ(ingot_model_load("x", nullptr, nullptr), invalid);
  EXPECT_EQ(ingot_model_load_memory(nullptr, 0, nullptr, &model), invalid);
  EXPECT_EQ(ingot_model_compile(nullptr, nullptr, &model), invalid);
  EXPECT_EQ(ingot_model_compile("x", nullptr, nullptr), invalid);
  EXPECT_EQ(ingot_model_input(nullptr, 0, nullptr), invalid);
  EXPECT_EQ(ingot_session_create(nullptr, nullptr, &session), invalid);
  EXPECT_EQ(ingot_session_create(nullptr, nullptr, nullptr), invalid);
  EXPECT_EQ(
      ingot_session_run(nullptr, nullptr, 0, nullptr, 0, nullptr, &result),
      invalid);
  EXPECT_EQ(ingot_session_shapes(nullptr, nullptr, 0, &result), invalid);
  EXPECT_EQ(ingot_result_output(nullptr, 0, nullptr), invalid);
  EXPECT_EQ(ingot_result_stats(nullptr, nullptr), invalid);
  EXPECT_EQ(ingot_session_start_trace(nullptr), invalid);
  EXPECT_EQ(ingot_session_write_trace(nullptr, "x"), invalid);
  EXPECT_EQ(ingot_cancel_create(nullptr), invalid);
  EXPECT_EQ(ingot_model_input_count(nullptr), 0u);
  EXPECT_EQ(ingot_result_output_count(nullptr), 0u);
  ingot_model_free(nullptr);
  ingot_session_free(nullptr);
  ingot_result_free(nullptr);
  ingot_cancel_free(nullptr);
  ingot_cancel_request(nullptr);
  ingot_cancel_reset(nullptr);
}

TEST(CApi, ReadsTensorsCarefully) {
  ingot::rt::test::Bytes bytes = artifactBytes();
  ingot::Model model = ingot::Model::load(bytes.data(), bytes.size());
  ingot_session *session = nullptr;
  ASSERT_EQ(ingot_session_create(model.get(), nullptr, &session), INGOT_OK);
  ingot_result *result = nullptr;
  auto run = [&](ingot_tensor tensor) {
    return ingot_session_run(session, &tensor, 1, nullptr, 0, nullptr, &result);
  };
  EXPECT_EQ(run({}), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_last_error(), "input number 0 has no name");
  EXPECT_EQ(run({"a", INGOT_F32, 2, nullptr, nullptr, 0}),
            INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(run({"a", INGOT_F32, -1, nullptr, nullptr, 0}),
            INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(
      ingot_session_run(session, nullptr, 3, nullptr, 0, nullptr, &result),
      INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(result, nullptr);
  ingot_session_free(session);
}

TEST(CApi, OptionsOfOlderHosts) {
  Bytes bytes = artifactBytes();
  ingot_model *model = nullptr;
  ingot_load_options unset = {};
  EXPECT_EQ(ingot_model_load_memory(bytes.data(), bytes.size(), &unset, &model),
            INGOT_INVALID_ARGUMENT);
  ASSERT_EQ(
      ingot_model_load_memory(bytes.data(), bytes.size(), nullptr, &model),
      INGOT_OK);
  // A host that knows only the first field: what lies behind it is not read.
  struct {
    size_t struct_size = offsetof(ingot_session_options, log);
    int32_t threads = 1;
    char rest[32] = {1, 1, 1, 1, 1, 1, 1, 1};
  } old;
  ingot_session *session = nullptr;
  ASSERT_EQ(
      ingot_session_create(
          model, reinterpret_cast<ingot_session_options *>(&old), &session),
      INGOT_OK);
  EXPECT_EQ(ingot_session_threads(session), 1);
  ingot_session_free(session);
  ingot_model_free(model);
}

TEST(CApi, MessagesBelongToTheThread) {
  ingot_model *model = nullptr;
  EXPECT_EQ(ingot_model_load("missing", nullptr, &model), INGOT_NOT_FOUND);
  std::thread([] { EXPECT_STREQ(ingot_last_error(), ""); }).join();
  EXPECT_NE(std::string(ingot_last_error()).find("missing"), std::string::npos);
  EXPECT_STREQ(ingot_status_name(INGOT_NOT_FOUND), "not found");
  EXPECT_STREQ(ingot_status_name(ingot_status(15)), "unknown status");
  EXPECT_STREQ(ingot_dtype_name(INGOT_BF16), "bf16");
  EXPECT_EQ(ingot_dtype_bytes(INGOT_BF16), 2u);
  EXPECT_EQ(ingot_dtype_bytes(ingot_dtype(31)), 0u);
}

TEST(CApi, Compiles) {
  TemporaryFolder folder;
  std::string source = writeArtifactFile(folder, "good.onnx");
  ingot_compile_options options = INGOT_COMPILE_OPTIONS_INIT;
  options.compiler_path = fakeCompiler.c_str();
  double progress = 0;
  options.user = &progress;
  options.progress = [](void *user, const char *, double done) {
    *static_cast<double *>(user) = done;
  };
  ingot_model *model = nullptr;
  ASSERT_EQ(ingot_model_compile(source.c_str(), &options, &model), INGOT_OK)
      << ingot_last_error();
  EXPECT_EQ(progress, 0.5);
  EXPECT_EQ(ingot_model_input_count(model), 3u);
  ingot_model_free(model);

  std::string kept = folder.file("kept.ingot");
  options.artifact_path = kept.c_str();
  ASSERT_EQ(ingot_model_compile(source.c_str(), &options, &model), INGOT_OK);
  ingot_model_free(model);
  EXPECT_TRUE(std::filesystem::exists(kept));
}

TEST(CApi, CompilesForGeneration) {
  TemporaryFolder folder;
  std::string source = writeArtifactFile(folder, "good.onnx");
  ingot_compile_options options = INGOT_COMPILE_OPTIONS_INIT;
  options.compiler_path = fakeCompiler.c_str();
  options.generate = 1;
  ingot_model *model = nullptr;
  EXPECT_EQ(ingot_model_compile(source.c_str(), &options, &model),
            INGOT_COMPILE_FAILED);
  EXPECT_STREQ(ingot_last_error(), "a cache of this type cannot be made");
  options.kv_type = "f16";
  EXPECT_EQ(ingot_model_compile(source.c_str(), &options, &model), INGOT_OK);
  ingot_model_free(model);
}

TEST(CApi, PassesActivationsAndConstantsOn) {
  TemporaryFolder folder;
  std::string source = writeArtifactFile(folder, "good.onnx");
  ingot_compile_options options = INGOT_COMPILE_OPTIONS_INIT;
  options.compiler_path = fakeCompiler.c_str();
  options.activation_bits = 16;
  ingot_model *model = nullptr;
  EXPECT_EQ(ingot_model_compile(source.c_str(), &options, &model),
            INGOT_COMPILE_FAILED);
  EXPECT_STREQ(ingot_last_error(), "there is no input of this name");
  const char *setting = "x=1";
  options.settings = &setting;
  options.setting_count = 1;
  EXPECT_EQ(ingot_model_compile(source.c_str(), &options, &model), INGOT_OK);
  ingot_model_free(model);
}

TEST(CApi, PassesTuningOn) {
  TemporaryFolder folder;
  std::string source = writeArtifactFile(folder, "good.onnx");
  ingot_compile_options options = INGOT_COMPILE_OPTIONS_INIT;
  options.compiler_path = fakeCompiler.c_str();
  options.tune_seconds = 3;
  options.tune_from = "tuned.ingot";
  double progress = 0;
  options.user = &progress;
  options.progress = [](void *user, const char *, double done) {
    *static_cast<double *>(user) = done;
  };
  ASSERT_EQ(ingot_cancel_create(&options.cancel), INGOT_OK);
  ingot_model *model = nullptr;
  EXPECT_EQ(ingot_model_compile(source.c_str(), &options, &model), INGOT_OK)
      << ingot_last_error();
  EXPECT_EQ(progress, 0.5);
  ingot_model_free(model);
  ingot_cancel_request(options.cancel);
  EXPECT_EQ(ingot_model_compile(source.c_str(), &options, &model),
            INGOT_CANCELLED);
  EXPECT_STREQ(ingot_last_error(), "cancelled while tiles were tried");
  ingot_cancel_free(options.cancel);
  options.cancel = nullptr;
  options.tune_from = "other.ingot";
  EXPECT_EQ(ingot_model_compile(source.c_str(), &options, &model),
            INGOT_COMPILE_FAILED);
}

TEST(CApi, SaysWhyItCannotCompile) {
  ingot_compile_options options = INGOT_COMPILE_OPTIONS_INIT;
  options.compiler_path = fakeCompiler.c_str();
  ingot_model *model = nullptr;
  EXPECT_EQ(ingot_model_compile("bad.onnx", &options, &model),
            INGOT_COMPILE_FAILED);
  EXPECT_NE(std::string(ingot_last_error()).find("Frobnicate"),
            std::string::npos);
  options.compiler_path = "/no/such/library.so";
  EXPECT_EQ(ingot_model_compile("bad.onnx", &options, &model),
            INGOT_COMPILER_UNAVAILABLE);
  EXPECT_NE(std::string(ingot_last_error()).find("/no/such/library.so"),
            std::string::npos);
  EXPECT_EQ(model, nullptr);
}

TEST(CppApi, TenLines) {
  Bytes bytes = artifactBytes();
  ingot::Model model = ingot::Model::load(bytes.data(), bytes.size());
  EXPECT_EQ(model.inputs()[0].dimTexts[0], "batch");
  EXPECT_EQ(model.outputs()[1].dims, std::vector<int64_t>{1});
  ingot::Session session(model, 2);
  std::vector<float> a = {1, 2}, b = {3, 4}, sum(2);
  std::vector<int32_t> mode = {Add};
  std::vector<ingot::Tensor> inputs = {
      {"a", {1, 2}, a}, {"b", {1, 2}, b}, {"mode", {1}, mode}};
  ingot::Result result = session.run(inputs);
  EXPECT_EQ(result["sum"].as<float>()[1], 16);
  EXPECT_EQ(result["sum"].dims(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(result[1].as<int64_t>()[0], 2);
  EXPECT_EQ(result.stats().workers, 2);
  EXPECT_THROW(result["sum"].as<double>(), ingot::Error);
  EXPECT_THROW(result["x"], ingot::Error);

  session.run(inputs, {{"sum", sum}});
  EXPECT_EQ(sum[0], 14);

  ingot::Cancel cancel;
  cancel.request();
  ingot_run_options options = INGOT_RUN_OPTIONS_INIT;
  options.cancel = cancel.get();
  try {
    session.run(inputs, {}, &options);
    ADD_FAILURE() << "was not cancelled";
  } catch (const ingot::Error &error) {
    EXPECT_EQ(error.status(), INGOT_CANCELLED);
  }
}
