//===- host.c - a decoder in a C program, for decoder.py ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//   host MODEL.ingot THREADS PROMPT COUNT
//
// Loads the artifact, reads a prompt of PROMPT ids, generates COUNT more and
// prints as JSON: seconds until the session was ready, the bytes of its caches
// and the most memory that the process held, mapped weights included.
#include <ingot.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static int failed(const char *what) {
  fprintf(stderr, "host: %s: %s\n", what, ingot_last_error());
  return 1;
}

/// The most memory that the process held, in bytes; 0 if that is unknown.
/// Not getrusage's: that counts what a parent held when it forked.
static unsigned long long peakMemory(void) {
  FILE *status = fopen("/proc/self/status", "r");
  unsigned long long kib = 0;
  for (char line[256]; status && fgets(line, sizeof line, status);)
    if (sscanf(line, "VmHWM: %llu", &kib) == 1)
      break;
  if (status)
    fclose(status);
  return kib * 1024;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: host MODEL.ingot THREADS PROMPT COUNT\n");
    return 2;
  }
  double start = now();
  ingot_model *model = NULL;
  ingot_session *session = NULL;
  ingot_sequence *sequence = NULL;
  ingot_session_options team = INGOT_SESSION_OPTIONS_INIT;
  team.threads = atoi(argv[2]);
  if (ingot_model_load(argv[1], NULL, &model) ||
      ingot_session_create(model, &team, &session) ||
      ingot_sequence_create(session, NULL, &sequence))
    return failed(argv[1]);
  double load = now() - start;

  size_t count = strtoul(argv[3], NULL, 10);
  int64_t *prompt = calloc(count + 1, sizeof *prompt);
  if (!prompt)
    return 1;
  for (size_t i = 0; i < count; ++i)
    prompt[i] = 1000 + (int64_t)i % 1000;
  ingot_generate_options options = INGOT_GENERATE_OPTIONS_INIT;
  options.max_new_tokens = strtoul(argv[4], NULL, 10);
  if (ingot_generate(sequence, prompt, count, &options, NULL))
    return failed("generate");
  ingot_cache_stats cache;
  if (ingot_session_cache_stats(session, &cache))
    return failed("cache");
  printf("{\"load\": %.6f, \"cache\": %llu, \"peak\": %llu}\n", load,
         (unsigned long long)cache.bytes_reserved, peakMemory());
  free(prompt);
  ingot_sequence_free(sequence);
  ingot_session_free(session);
  ingot_model_free(model);
  return 0;
}
