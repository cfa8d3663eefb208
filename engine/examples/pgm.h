/* SPDX-License-Identifier: Apache-2.0
 * Reads a grey picture: PGM, binary (P5) or text (P2), of up to 8 bits. Trusts nothing in the file.
 */
#ifndef OCTET_EXAMPLES_PGM_H
#define OCTET_EXAMPLES_PGM_H

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>

/* The next number of a header or of text pixels, after blanks and comments; -1: there is none, or
 * it is far too large. Eats the one character after it. */
static long pgm_number(FILE* file) {
  int c = getc(file);
  while (isspace(c) || c == '#') {
    if (c == '#') {
      while (c != '\n' && c != EOF) c = getc(file);
    } else {
      c = getc(file);
    }
  }
  if (!isdigit(c)) return -1;
  long number = 0;
  for (; isdigit(c); c = getc(file)) {
    number = 10 * number + (c - '0');
    if (number > 1000000) return -1;
  }
  return isspace(c) || c == '#' || c == EOF ? number : -1;
}

/* Reads a picture of exactly that size, white is 255; path names it. Returns 0, or prints why not.
 */
static int pgm_read(FILE* file, const char* path, unsigned char* pixels, size_t columns,
                    size_t rows) {
  int failed = 1;
  const int magic = getc(file) == 'P' ? getc(file) : EOF;
  const long width = magic == '2' || magic == '5' ? pgm_number(file) : -1;
  const long height = width > 0 ? pgm_number(file) : -1;
  const long white = height > 0 ? pgm_number(file) : -1;
  if (magic != '2' && magic != '5') {
    fprintf(stderr, "%s: is no PGM file: it begins with neither P2 nor P5\n", path);
  } else if (white < 0) {
    fprintf(stderr, "%s: has a damaged PGM header\n", path);
  } else if (white < 1 || white > 255) {
    fprintf(stderr, "%s: its white is %ld, must be from 1 to 255\n", path, white);
  } else if ((size_t)width != columns || (size_t)height != rows) {
    fprintf(stderr, "%s: has %ldx%ld pixels, the network takes %zux%zu\n", path, width, height,
            columns, rows);
  } else {
    const size_t count = columns * rows;
    size_t i = 0;
    long value = 0;
    for (; i < count; ++i) {
      value = magic == '5' ? getc(file) : pgm_number(file);
      if (value < 0 || value > white) break;
      pixels[i] = (unsigned char)(255 * value / white);
    }
    failed = i < count;
    if (failed && value < 0) {
      fprintf(stderr, "%s: ends after %zu of %zu pixels\n", path, i, count);
    } else if (failed) {
      fprintf(stderr, "%s: pixel %zu is %ld, its white is %ld\n", path, i, value, white);
    }
  }
  return failed;
}

#endif
