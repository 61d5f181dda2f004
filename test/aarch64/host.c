//===- host.c - runs artifacts from raw files -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// ingot-host ARTIFACT THREADS run NAME=FILE:EXTENT,EXTENT... writes the model's
// outputs to FILE.0, FILE.1, ... of the last input, and a line for each with
// its name, dtype and extents, between tabs.
//
// ingot-host ARTIFACT THREADS generate COUNT ID ID... prints the ids that
// follow the ones given.
//===----------------------------------------------------------------------===//
#include "ingot_generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { maxInputs = 8, maxRank = 8, maxIds = 4096 };

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, ingot_last_error());
  return 1;
}

/// The content of a file, or null.
static void *readFile(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  void *data = NULL;
  if (!file)
    return NULL;
  if (fseek(file, 0, SEEK_END) == 0) {
    *bytes = (size_t)ftell(file);
    rewind(file);
    data = malloc(*bytes + 1);
    if (data && fread(data, 1, *bytes, file) != *bytes) {
      free(data);
      data = NULL;
    }
  }
  fclose(file);
  return data;
}

static ingot_dtype dtypeOf(const ingot_model *model, const char *name) {
  for (size_t i = 0; i < ingot_model_input_count(model); ++i) {
    ingot_tensor_info info;
    if (ingot_model_input(model, i, &info) == INGOT_OK &&
        strcmp(info.name, name) == 0)
      return info.dtype;
  }
  return INGOT_F32;
}

static int run(const ingot_model *model, ingot_session *session, int count,
               char **texts) {
  ingot_tensor inputs[maxInputs];
  int64_t dims[maxInputs][maxRank];
  const char *path = "";
  if (count > maxInputs)
    return fprintf(stderr, "too many inputs\n"), 1;
  for (int i = 0; i < count; ++i) {
    char *file = strchr(texts[i], '='), *extents = strrchr(texts[i], ':');
    if (!file || !extents)
      return fprintf(stderr, "'%s' is no NAME=FILE:EXTENTS\n", texts[i]), 1;
    *file++ = *extents++ = 0;
    path = file;
    ingot_tensor *input = &inputs[i];
    input->name = texts[i];
    input->dtype = dtypeOf(model, texts[i]);
    input->rank = 0;
    input->dims = dims[i];
    for (char *at = extents; *at && input->rank < maxRank; at += *at == ',')
      dims[i][input->rank++] = strtoll(at, &at, 10);
    input->data = readFile(file, &input->bytes);
    if (!input->data)
      return fprintf(stderr, "cannot read '%s'\n", file), 1;
  }
  ingot_result *result;
  if (ingot_session_run(session, inputs, (size_t)count, NULL, 0, NULL,
                        &result) != INGOT_OK)
    return fail("run");
  for (size_t i = 0; i < ingot_result_output_count(result); ++i) {
    ingot_tensor output;
    char name[4096];
    if (ingot_result_output(result, i, &output) != INGOT_OK)
      return fail("output");
    snprintf(name, sizeof name, "%s.%zu", path, i);
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(output.data, 1, output.bytes, file) != output.bytes ||
        fclose(file) != 0)
      return fprintf(stderr, "cannot write '%s'\n", name), 1;
    printf("%s\t%s", output.name, ingot_dtype_name(output.dtype));
    for (int32_t d = 0; d < output.rank; ++d)
      printf("\t%lld", (long long)output.dims[d]);
    printf("\n");
  }
  ingot_result_free(result);
  for (int i = 0; i < count; ++i)
    free(inputs[i].data);
  return 0;
}

static int generate(ingot_session *session, int count, char **texts) {
  int64_t prompt[maxIds];
  size_t length = 0;
  for (int i = 1; i < count && length < maxIds; ++i)
    prompt[length++] = strtoll(texts[i], NULL, 10);
  ingot_generate_options options = INGOT_GENERATE_OPTIONS_INIT;
  options.max_new_tokens = strtoull(texts[0], NULL, 10);
  ingot_sequence *sequence;
  ingot_generation *generation;
  if (ingot_sequence_create(session, NULL, &sequence) != INGOT_OK ||
      ingot_generate(sequence, prompt, length, &options, &generation) !=
          INGOT_OK)
    return fail("generate");
  ingot_ids ids = ingot_generation_ids(generation);
  for (size_t i = 0; i < ids.count; ++i)
    printf("%lld\n", (long long)ids.ids[i]);
  ingot_generation_free(generation);
  ingot_sequence_free(sequence);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 5)
    return fprintf(stderr, "usage: ingot-host ARTIFACT THREADS run|generate "
                           "...\n"),
           2;
  ingot_model *model;
  ingot_session *session;
  ingot_session_options options = INGOT_SESSION_OPTIONS_INIT;
  options.threads = (int32_t)strtol(argv[2], NULL, 10);
  if (ingot_model_load(argv[1], NULL, &model) != INGOT_OK)
    return fail("load");
  if (ingot_session_create(model, &options, &session) != INGOT_OK)
    return fail("session");
  int status = strcmp(argv[3], "run") == 0
                   ? run(model, session, argc - 4, argv + 4)
                   : generate(session, argc - 4, argv + 4);
  ingot_session_free(session);
  ingot_model_free(model);
  return status;
}
