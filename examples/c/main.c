//===- main.c - run any model from C --------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Loads an artifact, prints its signature, fills its inputs with ones and runs
// it: describe-and-run MODEL.ingot [SIZE], where SIZE is what every symbolic
// dim becomes (default 8).
#include <ingot.h>

#include <stdio.h>
#include <stdlib.h>

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, ingot_last_error());
  return 1;
}

static void print(const char *kind, const ingot_tensor_info *info) {
  printf("%s %s: %s [", kind, info->name, ingot_dtype_name(info->dtype));
  for (int32_t d = 0; d < info->rank; ++d)
    printf("%s%s", d ? ", " : "", info->dim_texts[d]);
  printf("]\n");
}

/// Sets element number `index` to one.
static void set_one(void *data, size_t index, ingot_dtype dtype) {
  switch (dtype) {
  case INGOT_F32:
    ((float *)data)[index] = 1;
    break;
  case INGOT_F64:
    ((double *)data)[index] = 1;
    break;
  case INGOT_F16:
    ((uint16_t *)data)[index] = 0x3C00;
    break;
  case INGOT_BF16:
    ((uint16_t *)data)[index] = 0x3F80;
    break;
  default: // Integers are little-endian: the first byte is the lowest.
    ((uint8_t *)data)[index * ingot_dtype_bytes(dtype)] = 1;
  }
}

/// An input of ones, every symbolic dim `size`.
static int make_input(const ingot_tensor_info *info, int64_t size,
                      ingot_tensor *input) {
  int64_t *dims = calloc(info->rank + 1, sizeof *dims);
  size_t count = 1;
  if (!dims)
    return 1;
  for (int32_t d = 0; d < info->rank; ++d) {
    dims[d] = info->dims[d] < 0 ? size : info->dims[d];
    count *= (size_t)dims[d];
  }
  input->name = info->name;
  input->dtype = info->dtype;
  input->rank = info->rank;
  input->dims = dims;
  input->bytes = count * ingot_dtype_bytes(info->dtype);
  input->data = calloc(count + 1, ingot_dtype_bytes(info->dtype));
  if (!input->data)
    return 1;
  for (size_t i = 0; i < count; ++i)
    set_one(input->data, i, info->dtype);
  return 0;
}

static int run(ingot_model *model, int64_t size) {
  size_t count = ingot_model_input_count(model);
  ingot_tensor *inputs = calloc(count + 1, sizeof *inputs);
  ingot_tensor_info info;
  ingot_session *session = NULL;
  ingot_result *result = NULL;
  ingot_run_stats stats;
  int status = inputs ? 0 : 1;
  for (size_t i = 0; i < count && !status; ++i) {
    if (ingot_model_input(model, i, &info))
      return failed("input");
    print("input", &info);
    status = make_input(&info, size, &inputs[i]);
  }
  if (!status && ingot_session_create(model, NULL, &session))
    status = failed("session");
  if (!status &&
      ingot_session_run(session, inputs, count, NULL, 0, NULL, &result))
    status = failed("run");
  for (size_t i = 0; !status && i < ingot_result_output_count(result); ++i) {
    ingot_tensor output;
    if (ingot_result_output(result, i, &output) ||
        ingot_model_output(model, i, &info))
      return failed("output");
    print("output", &info);
    printf("  %zu bytes", output.bytes);
    if (output.dtype == INGOT_F32 && output.bytes)
      printf(", first %g", ((const float *)output.data)[0]);
    printf("\n");
  }
  if (!status && !ingot_result_stats(result, &stats))
    printf("%.3f ms on %d workers, arena %llu bytes\n", stats.milliseconds,
           stats.workers, (unsigned long long)stats.arena_bytes);
  ingot_result_free(result);
  ingot_session_free(session);
  for (size_t i = 0; inputs && i < count; ++i) {
    free((void *)inputs[i].dims);
    free(inputs[i].data);
  }
  free(inputs);
  return status;
}

int main(int argc, char **argv) {
  ingot_model *model = NULL;
  if (argc < 2) {
    fprintf(stderr, "usage: %s MODEL.ingot [SIZE]\n", argv[0]);
    return 2;
  }
  if (ingot_model_load(argv[1], NULL, &model))
    return failed(argv[1]);
  int status = run(model, argc > 2 ? atoll(argv[2]) : 8);
  ingot_model_free(model);
  return status;
}
