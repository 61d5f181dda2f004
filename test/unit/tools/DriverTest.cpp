//===- DriverTest.cpp - tests of the whole driver, without the compiler ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The program is copied beside a compiler library that only copies, so that
// run, check and explain work on the runtime's test image.
#include "test/unit/runtime/TestArtifact.h"
#include "test/unit/tools/TensorMaker.h"
#include "tools/ingot/io/Npy.h"

#include <nlohmann/json.hpp>

namespace fs = std::filesystem;
using namespace ingot;
using cli::Dtype;
using cli::makeTensor;
using cli::wireField;

namespace {

/// What a command did.
struct Done {
  int status;
  std::string out;
};

class Driver : public testing::Test {
protected:
  Driver() {
    fs::create_directories(folder.path / "bin");
    fs::create_directories(folder.path / "lib");
    fs::copy_file(INGOT_PROGRAM, folder.path / "bin" / "ingot");
    fs::copy_file(INGOT_FAKE_COMPILER,
                  folder.path / "lib" / "libIngotCompiler.so");
    put("a.ingot", rt::test::artifactBytes());
    cli::writeNpz(file("in.npz"), {matrix("a", {1, 2, 3, 4}),
                                   matrix("b", {10, 20, 30, 40}), mode(0)});
  }

  static cli::Tensor matrix(const char *name, std::vector<float> values) {
    return makeTensor(Dtype::F32, {2, 2}, values, name);
  }
  static cli::Tensor mode(int32_t mode) {
    return makeTensor<int32_t>(Dtype::I32, {1}, {mode}, "mode");
  }

  std::string file(const std::string &name) const { return folder.file(name); }
  void put(const std::string &name, const rt::test::Bytes &bytes) {
    rt::test::writeFile(file(name), bytes);
  }
  void put(const std::string &name, const std::string &text) {
    put(name, rt::test::Bytes(text.begin(), text.end()));
  }

  /// Runs the program in the test's folder; out has both streams.
  Done run(const std::string &arguments) {
    std::string command = "cd " + folder.path.string() +
                          " && XDG_CACHE_HOME=$PWD/cache bin/ingot " +
                          arguments + " 2>&1";
    FILE *pipe = popen(command.c_str(), "r");
    Done done{-1, ""};
    char buffer[4096];
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      done.out.append(buffer, got);
    int status = pclose(pipe);
    done.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return done;
  }
  static bool has(const Done &done, const std::string &text) {
    return done.out.find(text) != std::string::npos;
  }

  /// A file of test data.
  void putTensor(const std::string &name, const cli::Tensor &tensor,
                 uint64_t type) {
    std::string text;
    for (int64_t dim : tensor.dims)
      text += wireField(1, uint64_t(dim));
    text += wireField(2, type) + wireField(8, tensor.name);
    text += wireField(
        9, std::string_view(reinterpret_cast<const char *>(tensor.bytes.data()),
                            tensor.bytes.size()));
    put(name, text);
  }
  /// A case that passes: the sum has weights()[0] = 10 added.
  void putCase(const std::string &name, const std::string &op,
               float first = 21) {
    fs::create_directories(folder.path / name / "test_data_set_0");
    put(name + "/model.onnx", wireField(7, wireField(1, wireField(4, op))));
    put(name + "/model.onnx.artifact", rt::test::artifactBytes());
    std::string set = name + "/test_data_set_0/";
    putTensor(set + "input_0.pb", matrix("a", {1, 2, 3, 4}), 1);
    putTensor(set + "input_1.pb", matrix("b", {10, 20, 30, 40}), 1);
    putTensor(set + "input_2.pb", mode(0), 6);
    putTensor(set + "output_0.pb", matrix("sum", {first, 32, 43, 54}), 1);
  }

  rt::test::TemporaryFolder folder;
};

} // namespace

TEST_F(Driver, RunsAnArtifact) {
  Done done = run("run a.ingot --inputs in.npz --outputs out.npz --threads 2");
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_TRUE(has(done, "sum     f32    2x2     21  37.5   54")) << done.out;
  EXPECT_TRUE(has(done, " on 2 threads")) << done.out;
  auto outputs = cli::readNpz(file("out.npz"));
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs[0].bytes, matrix("sum", {21, 32, 43, 54}).bytes);
  EXPECT_EQ(outputs[1].asDouble(0), 4);
}

TEST_F(Driver, RunSaysWhatIsWrongWithInputs) {
  put("x.npy", cli::encodeNpy(matrix("", {1, 2, 3, 4})));
  Done done = run("run a.ingot --inputs in.npz --input a=x.npy");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done, "input 'a' is given twice")) << done.out;
  done = run("run a.ingot --input a=x.npy --input b=x.npy --outputs no.npz");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done, "'mode'")) << done.out;
  EXPECT_FALSE(fs::exists(file("no.npz")));
  cli::writeNpz(file("fail.npz"), {matrix("a", {1, 2, 3, 4}),
                                   matrix("b", {1, 2, 3, 4}), mode(2)});
  done = run("run a.ingot --inputs fail.npz");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done, "the check failed on request")) << done.out;
}

TEST_F(Driver, CachesWhatItCompiles) {
  put("m.onnx", wireField(1, 8));
  put("m.onnx.artifact", rt::test::artifactBytes());
  std::string line = "run m.onnx --inputs in.npz";
  EXPECT_TRUE(has(run(line), "compiled in"));
  fs::path entry = fs::directory_iterator(file("cache/ingot"))->path();
  Done again = run(line);
  EXPECT_EQ(again.status, 0) << again.out;
  EXPECT_FALSE(has(again, "compiled in")) << again.out;
  fs::resize_file(entry, fs::file_size(entry) - 1);
  EXPECT_TRUE(has(run(line), "compiled in"));
  EXPECT_FALSE(has(run(line), "compiled in"));
  put("m.onnx", wireField(1, 9));
  EXPECT_TRUE(has(run(line), "compiled in"));
  put("m.onnx", "no model");
  Done bad = run(line);
  EXPECT_EQ(bad.status, 1);
  EXPECT_TRUE(has(bad, "m.onnx: ")) << bad.out;
}

TEST_F(Driver, CompilesAndRefuses) {
  put("m.onnx", wireField(1, 8));
  put("m.onnx.artifact", rt::test::artifactBytes());
  Done done = run("compile m.onnx -o m.ingot");
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_TRUE(has(done, "m.ingot: "));
  EXPECT_EQ(run("run m.ingot --inputs in.npz").status, 0);
  put("m.onnx.refuse", "unsupported op: A\nunsupported op: B\n");
  done = run("compile m.onnx -o n.ingot");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done, "unsupported op: A\nunsupported op: B\n")) << done.out;
  EXPECT_FALSE(fs::exists(file("n.ingot")));
}

TEST_F(Driver, Explains) {
  Done done = run("explain a.ingot");
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_TRUE(has(done, "12 * n")) << done.out;
  EXPECT_TRUE(has(done, "[batch, n]")) << done.out;
  EXPECT_TRUE(has(done, "--dim batch=N --dim n=N")) << done.out;
  done = run("explain a.ingot --dim batch=3 --dim n=100");
  EXPECT_TRUE(has(done, "1.20 kB  100.0 %")) << done.out;
  EXPECT_EQ(run("explain a.ingot --dim n=100 --json e.json").status, 0);
  auto json = nlohmann::json::parse(rt::test::readFile(file("e.json")));
  EXPECT_EQ(json["recognised"]["add"], 1);
  EXPECT_EQ(json["stages"][0]["bytes_value"], 1200);
  EXPECT_FALSE(json["stages"][0].contains("flops_value"));
  EXPECT_FALSE(json.contains("arena_bytes"));
  EXPECT_EQ(run("explain a.ingot --dim n=9 --dim batch=2 --json e.json").status,
            0);
  json = nlohmann::json::parse(rt::test::readFile(file("e.json")));
  EXPECT_EQ(json["arena_bytes"], 8 * json["arena_threads"].get<int>());
  done = run("explain a.ingot --dim batch=1001");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done, "dim 'batch' cannot be 1001")) << done.out;
  done = run("explain a.ingot --dim x=1");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done, "no symbolic dim 'x'; it has batch, n")) << done.out;
}

TEST_F(Driver, ExplainsBesideUnknownCosts) {
  rt::Manifest manifest = rt::test::manifest();
  manifest.stages = {{"s0",
                      "add",
                      "Add_1",
                      "batch * n",
                      "12 * n",
                      "batch",
                      "prologue*",
                      {},
                      {}},
                     {"s1",
                      "add",
                      "Add_2",
                      "batch * n",
                      "36 * n",
                      "batch",
                      "barrier each*",
                      {},
                      {}},
                     {"s2",
                      "gather",
                      "Gather_3",
                      "?u0 * n",
                      "4 * ?u0",
                      "?u0",
                      "barrier*",
                      {},
                      {}}};
  put("b.ingot", rt::test::artifactBytes(manifest, rt::test::image(),
                                         rt::test::weights()));
  Done done = run("explain b.ingot --dim batch=2 --dim n=100");
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_FALSE(has(done, "?u0")) << done.out;
  for (const char *text :
       {"50.0 %  1.20 kB  25.0 %", "50.0 %  3.60 kB  75.0 %",
        "all 3 in 2 stages: 400 FLOP, 4.80 kB; without the unknown costs of 1 "
        "stage",
        "prologue: a part of the stage that follows it", "unknown",
        "barrier each*", "every worker makes its own"})
    EXPECT_TRUE(has(done, text)) << text << "\n" << done.out;
  done = run("explain b.ingot --dim n=100");
  EXPECT_TRUE(has(done, "totals and shares with --dim batch=N")) << done.out;
}

TEST_F(Driver, ChecksCases) {
  putCase("cases/good", "Add");
  putCase("cases/meta", "Add", 22);
  put("cases/meta/meta.json", R"({"rtol": 0, "atol": 1.5})");
  Done done = run("check cases");
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_TRUE(has(done, "2 passed, 0 failed, 0 skipped\n")) << done.out;

  putCase("cases/wrong", "Add", 22);
  putCase("cases/crash", "Add");
  put("cases/crash/model.onnx.crash", "");
  putCase("cases/skip", "Foo");
  put("cases/skip/model.onnx.refuse", "unsupported op: Foo (1 node: x)\n");
  putCase("cases/refused", "Foo");
  put("cases/refused/model.onnx.refuse", "the model is bad");
  put("list", "good # why\n\nmeta\nskip\nnone\n");
  done = run("check cases --json r.json --list list");
  EXPECT_EQ(done.status, 1);
  for (const char *line :
       {"passed   good", "FAILED   crash: crashed (Aborted)",
        "FAILED   wrong: test_data_set_0: output 'sum': 1 of 4 elements "
        "differ, most at [0, 0]: 21, expected 22",
        "skipped  skip: unsupported op: Foo (1 node: x)",
        "FAILED   refused: the model is bad",
        "FAILED   skip: expected to pass, but skipped",
        "FAILED   none: expected to pass, but there is no such case",
        "\n2 passed, 5 failed, 0 skipped\n"})
    EXPECT_TRUE(has(done, line)) << line << "\n" << done.out;
  auto json = nlohmann::json::parse(rt::test::readFile(file("r.json")));
  EXPECT_EQ(json["cases"].size(), 6u);
  EXPECT_EQ(json["failed"], 5);
}

TEST_F(Driver, CheckSkipsOnlyForTheClosedListOfReasons) {
  putCase("cases/a", "Foo");
  putCase("cases/b", "Bar");
  put("cases/b/model.onnx.refuse", "unsupported op: Bar (1 node: x)\n");
  Done done = run("check cases");
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_TRUE(has(done, "1 passed, 0 failed, 1 skipped\n")) << done.out;
  // An op with which another case passes is no reason to skip.
  put("cases/b/model.onnx.refuse", "unsupported op: Foo (1 node: x)\n");
  done = run("check cases");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done, "b: skipped for Foo, with which another case passes"))
      << done.out;
}
