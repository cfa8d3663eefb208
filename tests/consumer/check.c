/* SPDX-License-Identifier: Apache-2.0
 * An app in C: exits with 0 if the model it is given answers as tests/golden/v1.octet does. */
#include <octet/octet_c.h>
#include <stdio.h>
#include <string.h>

#include "golden.h"

int main(int argc, char** argv) {
  octet_model* model = NULL;
  octet_session* session = NULL;
  octet_error error;
  if (argc != 2 || octet_model_load(argv[1], NULL, &model, &error) != OCTET_OK ||
      octet_session_create(model, NULL, &session, &error) != OCTET_OK) {
    fprintf(stderr, "%s\n", argc == 2 ? error.message : "usage: check MODEL");
    return 1;
  }
  float logits[kBatch * 2];
  float probabilities[kBatch * 6];
  float x[kBatch * 2];
  float twin[kBatch * 2];
  const octet_input inputs[] = {{kPixels, sizeof kPixels}, {kX, sizeof kX}};
  const octet_output outputs[] = {{logits, sizeof logits},
                                  {probabilities, sizeof probabilities},
                                  {x, sizeof x},
                                  {twin, sizeof twin}};
  const octet_status status = octet_session_run(session, inputs, 2, outputs, 4, kBatch);
  const int good = status == OCTET_OK && memcmp(logits, kLogits, sizeof logits) == 0 &&
                   memcmp(probabilities, kProbabilities, sizeof probabilities) == 0 &&
                   memcmp(x, kX, sizeof x) == 0 && memcmp(twin, kLogits, sizeof twin) == 0;
  if (!good) {
    fprintf(stderr, "status %s; logits and probabilities:\n", octet_status_name(status));
    for (int i = 0; i < kBatch * 2; ++i) fprintf(stderr, "%aF, ", (double)logits[i]);
    fprintf(stderr, "\n");
    for (int i = 0; i < kBatch * 6; ++i) fprintf(stderr, "%aF, ", (double)probabilities[i]);
    fprintf(stderr, "\n");
  }
  printf("octet %s, %s: %s\n", octet_version(), octet_model_isa(model), good ? "ok" : "WRONG");
  octet_session_free(session);
  octet_model_free(model);
  return !good;
}
