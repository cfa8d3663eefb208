/* SPDX-License-Identifier: Apache-2.0
 * Writes the bytes that the example classify would give the network: pixels PICTURE */
#include "picture.h"

int main(int argc, char** argv) {
  unsigned char pixels[28 * 28];
  return argc != 2 || picture_read(argv[1], pixels, 28, 28) != 0 ||
         fwrite(pixels, sizeof pixels, 1, stdout) != 1;
}
