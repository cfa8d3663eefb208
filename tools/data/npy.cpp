// SPDX-License-Identifier: Apache-2.0
// Reads and writes .npy; the header's dict is parsed by hand, strictly.
#include "tools/data/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string_view>

#include "engine/errors.h"

static_assert(std::endian::native == std::endian::little, "arrays are used as the file holds them");

namespace octet::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = std::size_t{1} << 20;
constexpr std::size_t kMaxNpyRank = 32;  // numpy's own

struct TypeCode {
  std::string_view code;
  ArrayType type;
};
constexpr std::array<TypeCode, 6> kTypes{{{"|u1", ArrayType::u8},
                                          {"|i1", ArrayType::s8},
                                          {"<i4", ArrayType::i32},
                                          {"<i8", ArrayType::i64},
                                          {"<f4", ArrayType::f32},
                                          {"<f8", ArrayType::f64}}};

// The header: {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  void parse(std::string& descr, bool& fortran, std::vector<std::size_t>& shape) {
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !has_descr) {
        has_descr = true;
        descr = peek() == '[' ? "structured" : string();
        if (descr == "structured") return;
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        fortran = boolean();
      } else if (key == "shape" && !has_shape) {
        has_shape = true;
        shape = tuple();
      } else {
        fail("unexpected key '" + key + "'");
      }
      if (peek() != '}') expect(',');
    }
    if (peek() != '\0') fail("text after the closing brace");
    if (!has_descr || !has_order || !has_shape) fail("descr, fortran_order or shape is missing");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    engine::fail(Error::Code::format, path_, ": bad .npy header at byte ", position_, ": ", what,
                 "; write it again with numpy.save");
  }

  // The next character that is no space, '\0' at the end.
  char peek() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) {
      ++position_;
    }
    return position_ < text_.size() ? text_[position_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("'") + c + "' expected");
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a string expected");
    const std::size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) fail("a string without end");
    const std::string result(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    return result;
  }
  bool boolean() {
    peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return value;
      }
    }
    fail("True or False expected");
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> result;
    expect('(');
    while (!accept(')')) {
      peek();
      std::size_t extent = 0;
      const char* begin = text_.data() + position_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), extent);
      if (error != std::errc{}) fail("an extent expected");
      position_ += static_cast<std::size_t>(end - begin);
      if (result.size() == kMaxNpyRank) fail("rank above " + std::to_string(kMaxNpyRank));
      result.push_back(extent);
      if (peek() != ')') expect(',');
    }
    return result;
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t position_ = 0;
};

class File {
 public:
  explicit File(const std::string& path) : path_(path), bytes_(file_bytes(path)) {
    errno = 0;
    stream_.open(path, std::ios::binary);
    if (!stream_) {
      engine::fail(Error::Code::io, path, ": cannot be opened: ", std::strerror(errno));
    }
  }
  void read(void* to, std::uint64_t bytes) {
    if (bytes > bytes_ - position_) {
      engine::fail(Error::Code::format, path_, ": ends after ", bytes_,
                   " bytes inside its header; not a whole .npy file");
    }
    stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    if (!stream_) engine::fail(Error::Code::io, path_, ": cannot be read");
    position_ += bytes;
  }
  std::uint64_t left() const { return bytes_ - position_; }

 private:
  std::string path_;
  std::uint64_t bytes_;
  std::uint64_t position_ = 0;
  std::ifstream stream_;
};

std::string read_header(const std::string& path, File& file) {
  std::array<std::uint8_t, 8> start{};
  if (file.left() < start.size()) {
    engine::fail(Error::Code::format, path, ": not a .npy file: it has only ", file.left(),
                 " bytes; write it with numpy.save");
  }
  file.read(start.data(), start.size());
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0) {
    engine::fail(Error::Code::format, path,
                 ": not a .npy file: it does not begin with \\x93NUMPY; write it with "
                 "numpy.save");
  }
  if (start[6] < 1 || start[6] > 3) {
    engine::fail(Error::Code::unsupported, path, ": .npy version ", start[6],
                 ", versions 1 to 3 are read; write it with numpy.save");
  }
  std::array<std::uint8_t, 4> length{};
  file.read(length.data(), start[6] == 1 ? 2 : 4);
  const std::size_t bytes = std::size_t{length[0]} | (std::size_t{length[1]} << 8) |
                            (std::size_t{length[2]} << 16) | (std::size_t{length[3]} << 24);
  if (bytes > kMaxHeader) {
    engine::fail(Error::Code::limit, path, ": .npy header of ", bytes, " bytes, the limit is ",
                 kMaxHeader);
  }
  if (bytes > file.left()) {
    engine::fail(Error::Code::format, path, ": .npy header of ", bytes, " bytes, but only ",
                 file.left(), " are left in the file");
  }
  std::string text(bytes, ' ');
  file.read(text.data(), text.size());
  return text;
}

}  // namespace

Array read_npy(const std::string& path, std::size_t max_rows) {
  File file(path);
  const std::string header = read_header(path, file);
  std::string descr;
  bool fortran = false;
  Array array;
  HeaderParser(path, header).parse(descr, fortran, array.shape);
  const auto* type = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const TypeCode& entry) { return entry.code == descr; });
  if (type == kTypes.end()) {
    engine::fail(Error::Code::unsupported, path, ": element type '", descr,
                 "'; uint8, int8, int32, int64, float32 and float64 in little-endian order "
                 "are read: use .astype(numpy.float32), or numpy.int64 for labels");
  }
  array.type = type->type;
  if (fortran && array.shape.size() > 1) {
    engine::fail(Error::Code::unsupported, path,
                 ": the array is in Fortran order; save numpy.ascontiguousarray(x)");
  }
  const std::uint64_t declared = checked_bytes(path, array.shape, type_bytes(array.type));
  if (declared != file.left()) {
    engine::fail(Error::Code::format, path, ": holds ", file.left(),
                 " bytes of data, its header declares ", shape_text(array.shape), " of ",
                 type_name(array.type), " = ", declared, "; get the file again");
  }
  if (!array.shape.empty()) array.shape[0] = std::min(array.shape[0], max_rows);
  array.data.resize(declared == 0 ? 0 : array.rows() * array.row_bytes());
  file.read(array.data.data(), array.data.size());
  return array;
}

std::vector<std::byte> npy_file(ArrayType type, std::span<const std::size_t> shape,
                                std::span<const std::byte> data) {
  const auto* code = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const TypeCode& entry) { return entry.type == type; });
  std::string dict =
      "{'descr': '" + std::string(code->code) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dict += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  dict += shape.size() == 1 ? ",), }" : "), }";
  const std::size_t start = kMagic.size() + 4;
  dict.resize((start + dict.size() + 1 + 63) / 64 * 64 - start - 1, ' ');
  dict += '\n';

  std::string header(kMagic);
  header +=
      {'\x01', '\x00', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  header += dict;
  std::vector<std::byte> file(header.size() + data.size());
  std::memcpy(file.data(), header.data(), header.size());
  if (!data.empty()) std::memcpy(file.data() + header.size(), data.data(), data.size());
  return file;
}

}  // namespace octet::data
