/* SPDX-License-Identifier: Apache-2.0
 * Prints how many microseconds a process takes to load a model, open a session and run one sample
 * of zeros, and its resident kilobytes then. Compiled with EMPTY: those of a process without octet.
 *   cold_start MODEL */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#ifdef EMPTY
static int start(const char* path) {
  return path == NULL;
}
#else
#include <octet/octet_c.h>

static int start(const char* path) {
  octet_model* model;
  octet_session* session;
  octet_tensor_info in;
  octet_tensor_info out;
  if (octet_model_load(path, NULL, &model, NULL) != OCTET_OK ||
      octet_session_create(model, NULL, &session, NULL) != OCTET_OK ||
      octet_model_input(model, 0, &in) != OCTET_OK ||
      octet_model_output(model, 0, &out) != OCTET_OK) {
    return 1;
  }
  const octet_input input = {calloc(1, in.sample_bytes), in.sample_bytes};
  const octet_output output = {malloc(out.sample_bytes), out.sample_bytes};
  return octet_session_run(session, &input, 1, &output, 1, 1) != OCTET_OK;
}
#endif

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

int main(int argc, char** argv) {
  const double begin = now();
  if (argc != 2 || start(argv[1]) != 0) return 1;
  const double end = now();
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("%.0f %ld\n", end - begin, usage.ru_maxrss);
  return 0;
}
