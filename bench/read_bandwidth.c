//===- read_bandwidth.c - how fast this machine reads memory --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Sums 64-bit words of `MIB` mebibytes on `THREADS` threads, `ROUNDS` times,
// and prints the median in GB/s:
//
//   cc -O3 -march=native -pthread read_bandwidth.c -o read_bandwidth
//   read_bandwidth THREADS [MIB [ROUNDS]]
//
// Every thread reads several streams at a time, since one alone does not keep
// all of its prefetchers at work. A sum needs no store, so this is what code
// that reads weights once may hope for.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Share {
  const uint64_t *words;
  size_t count;
  uint64_t sum;
} Share;

/// Words that are read of a stream before the next one's turn: a line.
enum { streams = 8, run = 8 };

static void *sumWords(void *argument) {
  Share *share = argument;
  size_t length = share->count / streams / run * run;
  // As many sums as a line has words: no chain of additions is longer than what
  // memory takes.
  uint64_t sums[run] = {0};
  for (size_t i = 0; i < length; i += run)
    for (int stream = 0; stream < streams; ++stream)
      for (int word = 0; word < run; ++word)
        sums[word] += share->words[stream * length + i + word];
  for (int word = 0; word < run; ++word)
    share->sum += sums[word];
  return 0;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static int compareDoubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/// `text` as a number of at least one, or `otherwise` if there is none.
static size_t numberOf(const char *text, size_t otherwise) {
  long number = text ? atol(text) : (long)otherwise;
  if (number < 1) {
    fprintf(stderr, "read_bandwidth: '%s' is not a number above zero\n", text);
    exit(2);
  }
  return (size_t)number;
}

int main(int argc, char **argv) {
  size_t threads = numberOf(argc > 1 ? argv[1] : 0, 2);
  size_t words = numberOf(argc > 2 ? argv[2] : 0, 512) << 17;
  size_t rounds = numberOf(argc > 3 ? argv[3] : 0, 9);
  uint64_t *data = malloc(words * 8);
  Share *shares = calloc(threads, sizeof(Share));
  pthread_t *handles = calloc(threads, sizeof(pthread_t));
  double *rates = calloc(rounds, sizeof(double));
  if (!data || !shares || !handles || !rates) {
    fprintf(stderr, "read_bandwidth: out of memory\n");
    return 1;
  }
  memset(data, 1, words * 8);
  uint64_t total = 0;
  for (size_t round = 0; round < rounds; ++round) {
    double start = now();
    for (size_t i = 0; i < threads; ++i) {
      size_t first = words * i / threads, last = words * (i + 1) / threads;
      shares[i] = (Share){data + first, last - first, 0};
      if (pthread_create(&handles[i], 0, sumWords, &shares[i])) {
        fprintf(stderr, "read_bandwidth: cannot start a thread\n");
        return 1;
      }
    }
    for (size_t i = 0; i < threads; ++i) {
      pthread_join(handles[i], 0);
      total += shares[i].sum;
    }
    rates[round] = words * 8 / (now() - start) * 1e-9;
  }
  qsort(rates, rounds, sizeof(double), compareDoubles);
  printf("%.2f\n", rates[rounds / 2]);
  return total == 0; // the sums are wanted
}
