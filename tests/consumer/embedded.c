/* SPDX-License-Identifier: Apache-2.0
 * A program with its model inside: loads and runs it, and needs no file. */
#include <octet/octet_c.h>
#include <stdint.h>
#include <stdio.h>

#include "digits.h"

int main(void) {
  octet_model* model = NULL;
  octet_session* session = NULL;
  octet_error error;
  if ((uintptr_t)digits % 64 != 0) {
    fprintf(stderr, "digits lies at %p, which 64 does not divide\n", (const void*)digits);
    return 1;
  }
  if (octet_model_parse(digits, sizeof digits, "digits", NULL, &model, &error) != OCTET_OK ||
      octet_session_create(model, NULL, &session, &error) != OCTET_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  static unsigned char pixels[784];
  float logits[10] = {0};
  const octet_input input = {pixels, sizeof pixels};
  const octet_output output = {logits, sizeof logits};
  const octet_status status = octet_session_run(session, &input, 1, &output, 1, 1);
  octet_session_free(session);
  octet_model_free(model);
  if (status != OCTET_OK || logits[0] == 0) {
    fprintf(stderr, "%s, first logit %f\n", octet_status_name(status), (double)logits[0]);
    return 1;
  }
  return 0;
}
