/* SPDX-License-Identifier: Apache-2.0
 * Tells which digit a picture shows. The network takes pixels as bytes: white on black, as MNIST's.
 *   classify mnist_mlp.octet digit.png */
#include <octet/octet_c.h>
#include <stdio.h>
#include <stdlib.h>

#include "picture.h"

/* The side of a square picture of that many pixels, or 0. */
static size_t square_side(size_t pixels) {
  size_t side = 1;
  while (side * side < pixels) ++side;
  return side * side == pixels ? side : 0;
}

static int classify(const octet_model* model, const char* model_path, const char* picture_path) {
  octet_tensor_info in;
  octet_tensor_info out;
  if (octet_model_inputs(model) != 1 || octet_model_outputs(model) != 1 ||
      octet_model_input(model, 0, &in) != OCTET_OK || in.dtype != OCTET_U8 ||
      octet_model_output(model, 0, &out) != OCTET_OK || out.dtype != OCTET_F32) {
    fprintf(stderr, "%s: must take one picture of bytes and give one row of floats\n", model_path);
    return 1;
  }

  const size_t side = square_side(in.sample_bytes);
  if (side == 0) {
    fprintf(stderr, "%s: takes %zu pixels, which are no square picture\n", model_path,
            in.sample_bytes);
    return 1;
  }

  int result = 1;
  octet_session* session = NULL;
  octet_error error;
  unsigned char* pixels = malloc(in.sample_bytes);
  float* logits = malloc(out.sample_bytes);
  if (pixels == NULL || logits == NULL) {
    fprintf(stderr, "out of memory\n");
  } else if (octet_session_create(model, NULL, &session, &error) != OCTET_OK) {
    fprintf(stderr, "%s\n", error.message);
  } else if (picture_read(picture_path, pixels, side, side) == 0) {
    const octet_input input = {pixels, in.sample_bytes};
    const octet_output output = {logits, out.sample_bytes};
    const octet_status status = octet_session_run(session, &input, 1, &output, 1, 1);
    if (status == OCTET_OK) {
      size_t best = 0;
      for (size_t i = 1; i < out.sample_bytes / sizeof *logits; ++i) {
        if (logits[i] > logits[best]) best = i;
      }
      printf("%zu\n", best);
      result = 0;
    } else {
      fprintf(stderr, "run: %s\n", octet_status_name(status));
    }
  }
  octet_session_free(session);
  free(logits);
  free(pixels);
  return result;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: classify MODEL.octet PICTURE\n");
    return 2;
  }
  octet_model* model = NULL;
  octet_error error;
  if (octet_model_load(argv[1], NULL, &model, &error) != OCTET_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  const int result = classify(model, argv[1], argv[2]);
  octet_model_free(model);
  return result;
}
