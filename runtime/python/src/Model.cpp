//===- Model.cpp - loading, compiling and describing models -*- C++ -*- ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Bindings.h"

using namespace ingot::python;

namespace {
/// Hands the compiler's progress to a Python function. What that raises ends
/// the reports and is raised again when compiling has ended.
struct ProgressCall {
  nb::object function;
  std::optional<nb::python_error> raised;

  static void report(void *user, const char *phase, double fraction) {
    auto *self = static_cast<ProgressCall *>(user);
    nb::gil_scoped_acquire locked;
    if (self->raised)
      return;
    try {
      self->function(phase, fraction);
    } catch (nb::python_error &error) {
      self->raised.emplace(std::move(error));
    }
  }
};
} // namespace

static std::unique_ptr<Model> load(const nb::bytes &path, bool verify) {
  ingot_load_options options = INGOT_LOAD_OPTIONS_INIT;
  options.skip_weights_checksum = !verify;
  ingot_model *model = nullptr;
  guarded({0, nullptr, false}, [&, name = path.c_str()](ingot_cancel *) {
    return ingot_model_load(name, &options, &model);
  });
  return std::make_unique<Model>(model);
}

static std::unique_ptr<Model>
compile(const nb::bytes &path, const std::optional<std::string> &target,
        const std::optional<nb::bytes> &artifact,
        const std::optional<nb::bytes> &compiler, bool generate,
        const std::optional<std::string> &kvType, int activationBits,
        const std::vector<std::string> &settings,
        const std::vector<std::string> &dims, double tuneSeconds,
        const std::optional<nb::bytes> &tuneFrom, bool isInterruptible,
        const nb::object &progress) {
  ProgressCall call{progress, {}};
  auto pointers = [](const std::vector<std::string> &texts) {
    std::vector<const char *> result;
    result.reserve(texts.size());
    for (const std::string &given : texts)
      result.push_back(given.c_str());
    return result;
  };
  std::vector<const char *> settingTexts = pointers(settings),
                            dimTexts = pointers(dims);
  ingot_compile_options options = INGOT_COMPILE_OPTIONS_INIT;
  auto text = [](const auto &given) {
    return given ? given->c_str() : nullptr;
  };
  options.target_cpu = text(target);
  options.artifact_path = text(artifact);
  options.compiler_path = text(compiler);
  options.generate = generate;
  options.kv_type = text(kvType);
  options.activation_bits = activationBits;
  options.settings = settingTexts.data();
  options.setting_count = settingTexts.size();
  options.dims = dimTexts.data();
  options.dim_count = dimTexts.size();
  options.tune_seconds = tuneSeconds;
  options.tune_from = text(tuneFrom);
  if (!progress.is_none()) {
    options.progress = ProgressCall::report;
    options.user = &call;
  }
  ingot_model *made = nullptr;
  std::unique_ptr<Model> model;
  // Tuning looks whether somebody has interrupted it, compiling does not.
  guarded({0, nullptr, isInterruptible},
          [&, name = path.c_str()](ingot_cancel *cancel) {
            options.cancel = cancel;
            return ingot_model_compile(name, &options, &made);
          });
  model = std::make_unique<Model>(made);
  if (call.raised)
    throw std::move(*call.raised);
  return model;
}

using Ask = ingot_status (*)(const ingot_model *, size_t, ingot_tensor_info *);

/// (name, number of the dtype, extents (-1: symbolic), their texts) of each.
static nb::list tensors(const Model &model, size_t count, Ask ask) {
  nb::list all;
  for (size_t i = 0; i < count; ++i) {
    ingot_tensor_info info;
    check(ask(model.get(), i, &info));
    nb::list dims, texts;
    for (int32_t d = 0; d < info.rank; ++d) {
      dims.append(info.dims[d]);
      texts.append(info.dim_texts[d]);
    }
    all.append(nb::make_tuple(info.name, int(info.dtype), dims, texts));
  }
  return all;
}

/// What a model that was compiled for generation keeps; None for others.
static nb::object stateOf(const Model &model) {
  if (!ingot_model_is_generator(model.get()))
    return nb::none();
  ingot_generator_info info;
  check(ingot_model_generator(model.get(), &info));
  nb::list caches, replaced;
  for (size_t i = 0; i < info.cache_count; ++i) {
    ingot_cache_info cache;
    check(ingot_model_cache(model.get(), i, &cache));
    nb::dict entry;
    entry["name"] = cache.name;
    entry["dtype"] = ingot_dtype_name(cache.dtype);
    entry["heads"] = cache.heads;
    entry["key_depth"] = cache.key_depth;
    entry["value_depth"] = cache.value_depth;
    entry["window"] = cache.window;
    entry["key_input"] = cache.key_input;
    entry["value_input"] = cache.value_input;
    entry["key_output"] = cache.key_output;
    entry["value_output"] = cache.value_output;
    caches.append(entry);
  }
  for (size_t i = 0; i < info.replaced_count; ++i)
    replaced.append(ingot_model_replaced(model.get(), i));
  nb::dict state;
  state["vocab_size"] = info.vocab_size;
  state["max_positions"] = info.max_positions;
  state["page_positions"] = info.page_positions;
  state["bytes_per_position"] = info.bytes_per_position;
  state["has_all_logits"] = info.has_all_logits != 0;
  state["caches"] = caches;
  state["replaced"] = replaced;
  return state;
}

void ingot::python::bindModel(nb::module_ &module) {
  nb::class_<Model>(module, "Model")
      .def("inputs",
           [](const Model &model) {
             return tensors(model, ingot_model_input_count(model.get()),
                            ingot_model_input);
           })
      .def("outputs",
           [](const Model &model) {
             return tensors(model, ingot_model_output_count(model.get()),
                            ingot_model_output);
           })
      .def("bound_inputs",
           [](const Model &model) {
             return tensors(model, ingot_model_bound_count(model.get()),
                            ingot_model_bound);
           })
      .def("state", stateOf);
  module.def("load", load);
  module.def("compile", compile, nb::arg("path"), nb::arg("target").none(),
             nb::arg("artifact").none(), nb::arg("compiler").none(),
             nb::arg("generate"), nb::arg("kv_type").none(),
             nb::arg("activation_bits"), nb::arg("settings"), nb::arg("dims"),
             nb::arg("tune_seconds"), nb::arg("tune_from").none(),
             nb::arg("interruptible"), nb::arg("progress").none());
}
