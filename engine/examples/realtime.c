/* SPDX-License-Identifier: Apache-2.0
 * Real-time use: a network that runs once a millisecond, in memory that is there before it starts.
 * Nothing is allocated, locked or loaded once the loop runs.
 *   realtime net.octet 1000 */
#define _DEFAULT_SOURCE /* mlockall, clock_nanosleep */
#include <octet/octet_c.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { kPeriodNs = 1000000, kSecondNs = 1000000000 };

static alignas(64) unsigned char arena[256 * 1024];
static unsigned char input[4096];
static unsigned char output[4096];

static int too_small(const char* what, size_t have, size_t need) {
  if (have >= need) return 0;
  fprintf(stderr, "%s has %zu bytes, the network needs %zu\n", what, have, need);
  return 1;
}

/* Stands for the device that is sampled. */
static void read_sensor(size_t bytes, long frame) {
  memset(input, (int)(frame % 256), bytes);
}

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * kSecondNs + t.tv_nsec;
}

static void sleep_until(long long ns) {
  const struct timespec t = {(time_t)(ns / kSecondNs), (long)(ns % kSecondNs)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) continue;
}

int main(int argc, char** argv) {
  const long frames = argc == 3 ? atol(argv[2]) : 0;
  if (frames < 1) {
    fprintf(stderr, "usage: realtime MODEL.octet FRAMES\n");
    return 2;
  }
  octet_model* model = NULL;
  octet_session* session = NULL;
  octet_error error;
  if (octet_model_load(argv[1], NULL, &model, &error) != OCTET_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  octet_tensor_info in;
  octet_tensor_info out;
  if (octet_model_inputs(model) != 1 || octet_model_outputs(model) != 1 ||
      octet_model_input(model, 0, &in) != OCTET_OK ||
      octet_model_output(model, 0, &out) != OCTET_OK) {
    fprintf(stderr, "%s: must have one input and one output\n", argv[1]);
    return 1;
  }
  if (too_small("arena", sizeof arena, octet_session_arena_bytes(model, 1)) ||
      too_small("input", sizeof input, in.sample_bytes) ||
      too_small("output", sizeof output, out.sample_bytes)) {
    return 1;
  }
  const octet_session_options options = {NULL, arena, sizeof arena};
  if (octet_session_create(model, &options, &session, &error) != OCTET_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  /* The session has all it needs: the model's weights stay until it is freed. */
  octet_model_free(model);
  /* No page of it may have to be fetched later; where that is not allowed, it still works. */
  if (mlockall(MCL_CURRENT) != 0) perror("mlockall");

  long long longest = 0;
  long long next = now_ns();
  for (long frame = 0; frame < frames; ++frame) {
    sleep_until(next += kPeriodNs);
    read_sensor(in.sample_bytes, frame);
    const octet_input from = {input, in.sample_bytes};
    const octet_output to = {output, out.sample_bytes};
    const long long start = now_ns();
    if (octet_session_run(session, &from, 1, &to, 1, 1) != OCTET_OK) abort();
    const long long time = now_ns() - start;
    if (time > longest) longest = time;
  }
  printf("%ld frames, the longest took %.1f us of %d\n", frames, (double)longest / 1000,
         kPeriodNs / 1000);
  octet_session_free(session);
  return 0;
}
