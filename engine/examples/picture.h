/* SPDX-License-Identifier: Apache-2.0
 * Reads a grey picture of a given size: PNG, where the program is built with libpng (EXAMPLE_PNG),
 * or PGM. */
#ifndef OCTET_EXAMPLES_PICTURE_H
#define OCTET_EXAMPLES_PICTURE_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "pgm.h"

#ifdef EXAMPLE_PNG
#include <png.h>

/* As pgm_read. libpng turns colours into grey; what is transparent becomes black. */
static int png_read(FILE* file, const char* path, unsigned char* pixels, size_t width,
                    size_t height) {
  int failed = 1;
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_stdio(&image, file)) {
    fprintf(stderr, "%s: is no good PNG file: %s\n", path, image.message);
  } else if (image.width != width || image.height != height) {
    fprintf(stderr, "%s: has %lux%lu pixels, the network takes %zux%zu\n", path,
            (unsigned long)image.width, (unsigned long)image.height, width, height);
  } else {
    const png_color black = {0, 0, 0};
    image.format = PNG_FORMAT_GRAY;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16 bits mean the same light as 8 do */
    failed = !png_image_finish_read(&image, &black, pixels, 0, NULL);
    if (failed) fprintf(stderr, "%s: is a damaged PNG file: %s\n", path, image.message);
  }
  png_image_free(&image);
  return failed;
}
#else
static int png_read(FILE* file, const char* path, unsigned char* pixels, size_t width,
                    size_t height) {
  (void)file, (void)pixels, (void)width, (void)height;
  fprintf(stderr, "%s: is no PGM file, and this program was built without PNG\n", path);
  return 1;
}
#endif

/* Reads a picture of exactly that size, white is 255. Returns 0, or prints why not. */
static int picture_read(const char* path, unsigned char* pixels, size_t width, size_t height) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return 1;
  }
  const int first = getc(file);
  ungetc(first, file);
  const int failed =
      (first == 0x89 ? png_read : pgm_read)(file, path, pixels, width, height); /* "\x89PNG" */
  fclose(file);
  return failed;
}

#endif
