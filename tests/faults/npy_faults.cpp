// SPDX-License-Identifier: Apache-2.0
// .npy files whose headers are none, or lie.
#include "tests/faults/malformed.h"
#include "tests/faults/read_data.h"
#include "tools/data/npy.h"

namespace octet::test {
namespace {

// A file of version 1 with this dict and data.
std::string file_of(const std::string& dict, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY";
  file +=
      {version, '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return file + dict + data;
}

Malformed npy(const std::string& name, const std::string& file, const std::string& message) {
  return {name, [file] { return read_data(file, [](auto& path) { data::read_npy(path); }); },
          message};
}

Malformed dict(const char* name, const std::string& text, const std::string& message) {
  return npy(
      name, file_of(text, "a"),
      "format: data: bad .npy header at byte " + message + "; write it again with numpy.save");
}

Malformed dtype(const std::string& code) {
  return npy(
      ".npy of " + code,
      file_of("{'descr': '" + code + "', 'fortran_order': False, 'shape': (1,), }", "12345678"),
      "unsupported: data: element type '" + code +
          "'; uint8, int8, int32, int64, float32 and float64 in little-endian order are read:"
          " use .astype(numpy.float32), or numpy.int64 for labels");
}

Malformed shape(const char* name, const std::string& text, const std::string& message) {
  return npy(name,
             file_of("{'descr': '<f4', 'fortran_order': False, 'shape': " + text + "}", "12345678"),
             message);
}

std::string ones(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "1,";
  return text;
}

}  // namespace

MalformedFiles npy_faults() {
  const std::string save = "; write it with numpy.save";
  const std::string again = "; get the file again";
  return {
      npy("not .npy/no bytes", "", "format: data: not a .npy file: it has only 0 bytes" + save),
      npy("a text as .npy", "a text file, nothing else",
          "format: data: not a .npy file: it does not begin with \\x93NUMPY" + save),
      npy(".npy of version 4", file_of("{}", "", 4),
          "unsupported: data: .npy version 4, versions 1 to 3 are read" + save),
      npy(".npy cut in its header", std::string("\x93NUMPY\x02\x00\xff", 9),
          "format: data: ends after 9 bytes inside its header; not a whole .npy file"),
      npy(".npy with a header beyond its end", std::string("\x93NUMPY\x01\x00\xff\x00{}", 12),
          "format: data: .npy header of 255 bytes, but only 2 are left in the file"),
      npy(".npy with a header of 4 GiB", std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14),
          "limit: data: .npy header of 4294967295 bytes, the limit is 1048576"),
      dict("a header/empty", "", "0: '{' expected"),
      dict("a header that is not closed", "{", "1: a string expected"),
      dict("a header without keys", "{}", "2: descr, fortran_order or shape is missing"),
      dict("a key without value", "{'descr'}", "8: ':' expected"),
      dict("a header cut after a value", "{'descr': '|u1'", "15: ',' expected"),
      dict("a string without end", "{'descr': '|u1", "10: a string without end"),
      dict("a header without order", "{'descr': '|u1', 'shape': (1,)}",
           "31: descr, fortran_order or shape is missing"),
      dict("an order that is no bool", "{'descr': '|u1', 'fortran_order': Maybe, 'shape': (1,)}",
           "34: True or False expected"),
      dict("a shape that is no tuple", "{'descr': '|u1', 'fortran_order': False, 'shape': 1}",
           "50: '(' expected"),
      dict("a negative extent", "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
           "51: an extent expected"),
      dict("extents without a comma", "{'descr': '|u1', 'fortran_order': False, 'shape': (1 1)}",
           "53: ',' expected"),
      dict("an extent of 20 digits",
           "{'descr': '|u1', 'fortran_order': False,  'shape': (99999999999999999999,)}",
           "52: an extent expected"),
      dict("a shape given twice",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
           "64: unexpected key 'shape'"),
      dict("text after the header", "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} + 1",
           "56: text after the closing brace"),
      dict("a key that is unknown", "{'descr': '|u1', 'other': False, 'shape': (1,)}",
           "25: unexpected key 'other'"),
      dict("a shape of rank 33",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (" + ones(33) + ")}",
           "116: rank above 32"),
      dtype(">f4"),
      dtype("<f2"),
      dtype("<u8"),
      dtype("|O"),
      dtype("|b1"),
      dtype("<c8"),
      npy(".npy of structs",
          file_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234"),
          "unsupported: data: element type 'structured'; uint8, int8, int32, int64, float32 and"
          " float64 in little-endian order are read: use .astype(numpy.float32), or numpy.int64 for"
          " labels"),
      npy(".npy in Fortran order",
          file_of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }", "abcd"),
          "unsupported: data: the array is in Fortran order; save numpy.ascontiguousarray(x)"),
      shape(".npy with too little data", "(3,)",
            "format: data: holds 8 bytes of data, its header declares 3 of float32 = 12" + again),
      shape(".npy with too much data", "(1,)",
            "format: data: holds 8 bytes of data, its header declares 1 of float32 = 4" + again),
      shape(".npy of 4 GB in 8 bytes", "(1000000000,)",
            "format: data: holds 8 bytes of data, its header declares 1000000000 of float32 ="
            " 4000000000" +
                again),
      shape(
          ".npy of 2^64 + 4 bytes", "(4611686018427387905,)",
          "limit: data: its header declares 4611686018427387905 elements of 4 bytes, more than the"
          " limit of 17179869184 bytes; split the file"),
      shape(
          ".npy of no rows of 2^64 + 4 bytes", "(0, 4611686018427387905)",
          "limit: data: its header declares 0 x 4611686018427387905 elements of 4 bytes, more than"
          " the limit of 17179869184 bytes; split the file"),
  };
}

}  // namespace octet::test
