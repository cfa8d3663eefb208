// SPDX-License-Identifier: Apache-2.0
// What the subcommands print: aligned tables and readable numbers.
#pragma once

#include <octet/octet_c.h>

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace octet::command {

// printf into a string.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

std::string decibels(double db);                       // "44.8 dB", "exact", "none" for NaN
std::string grouped(std::uint64_t number);             // "91,080"
std::string count(std::uint64_t n, const char* noun);  // "1 sample", "10,000 samples"
// The leading dimension, the batch, is N: "[N,784]".
std::string shape_text(std::span<const std::int64_t> shape);
std::string shape_text(const octet_tensor_info& info);
std::string_view dtype_text(octet_dtype dtype);  // "float32"

// text as a terminal can show it: control characters, other than a line break before two spaces,
// and bytes that are no UTF-8 as "\\x1b". For messages, which may quote any path.
std::string printable(std::string_view text);

// Throws octet::Error (io) if what was printed cannot be written, as on a full disk.
void flush_stdout();

// Columns as wide as their widest cell; the first row is the heading.
class TextTable {
 public:
  // One letter per column: l(eft) or r(ight). A row may be shorter than that.
  explicit TextTable(std::string alignment) : alignment_(std::move(alignment)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const;
  void print() const { std::fputs(text().c_str(), stdout); }

 private:
  std::string alignment_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace octet::command
