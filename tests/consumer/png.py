# SPDX-License-Identifier: Apache-2.0
"""Writes the picture of a text PGM file as PNG files, good and bad, into the current folder: png.py PICTURE.pgm"""

import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour, rows, *extra):
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def write(name, data):
    with open(name + ".png", "wb") as file:
        file.write(data)


def main(path):
    with open(path) as file:
        words = [word for line in file if not line.startswith("#") for word in line.split()]
    width, height = int(words[1]), int(words[2])
    flat = bytes(map(int, words[4:]))
    rows = [flat[i : i + width] for i in range(0, len(flat), width)]
    grey = png(width, height, 8, 0, rows)
    write("grey", grey)
    write("deep", png(width, height, 16, 0, [bytes(b for p in row for b in (p, p)) for row in rows]))
    write("colour", png(width, height, 8, 2, [bytes(b for p in row for b in (p, p, p)) for row in rows]))
    # White, but more or less transparent.
    write("alpha", png(width, height, 8, 6, [bytes(b for p in row for b in (255, 255, 255, p)) for row in rows]))
    palette = chunk(b"PLTE", bytes(b for p in range(256) for b in (p, p, p)))
    write("palette", png(width, height, 8, 3, rows, palette))
    write("narrow", png(width - 1, height, 8, 0, [row[1:] for row in rows]))
    write("line", png(width * height, 1, 8, 0, [flat]))
    write("huge", png(2**31 - 1, 2**31 - 1, 8, 0, rows))
    write("cut", grey[:-100])
    middle = len(grey) // 2
    write("flipped", grey[:middle] + bytes([grey[middle] ^ 16]) + grey[middle + 1 :])
    write("empty", grey[:8])
    write("start", grey[:1])


main(sys.argv[1])
