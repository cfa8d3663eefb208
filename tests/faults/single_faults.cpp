// SPDX-License-Identifier: Apache-2.0
// Every single fault of small model files, loaded as it is and with its checksum made right: each
// must give a typed error that names the file, or a model that runs, with the same bytes on the
// best kernel table as on the plain loops.
//   octet_single_faults [--stride N]     every N-th fault only
#include <octet/octet_c.h>

#include <bit>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <string_view>

#include "tests/engine/graph_builder.h"
#include "tests/engine/model_bytes.h"
#include "tests/engine/random_graph.h"
#include "tests/faults/valid_run.h"
#include "tools/convert/model_writer.h"

namespace {

using namespace octet::test;
using octet::engine::FileHeader;

constexpr const char* kName = "fault.octet";

// A model's bytes at kDataAlignment, so that they are parsed where they are, in a block of exactly
// their size, so that AddressSanitizer sees a read past their end.
class File {
 public:
  explicit File(std::span<const std::byte> bytes) : size_(bytes.size()) {
    data_.reset(static_cast<std::byte*>(::operator new (size_, std::align_val_t{64})));
    std::copy(bytes.begin(), bytes.end(), data_.get());
  }
  std::span<std::byte> bytes() { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* data) const noexcept {
      ::operator delete (data, std::align_val_t{64});
    }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> data_;
};

struct Count {
  std::uint64_t loads = 0;
  std::uint64_t ran = 0;
  std::uint64_t errors[7] = {};  // by octet_status

  void add(const Count& other) {
    loads += other.loads;
    ran += other.ran;
    for (std::size_t i = 0; i < std::size(errors); ++i) errors[i] += other.errors[i];
  }
  void print(const char* what) const {
    std::printf("  %-22s %9llu loads: %9llu ran", what, static_cast<unsigned long long>(loads),
                static_cast<unsigned long long>(ran));
    for (std::size_t i = 1; i < std::size(errors); ++i) {
      if (errors[i] == 0) continue;
      std::printf(", %llu %s", static_cast<unsigned long long>(errors[i]),
                  octet_status_name(static_cast<octet_status>(i)));
    }
    std::printf("\n");
  }
};

class Suite {
 public:
  explicit Suite(std::uint64_t stride) : stride_(stride) {}

  void run(const std::string& name, std::span<const std::byte> valid) {
    name_ = name;
    as_is_ = repaired_ = {};
    truncate(valid);
    File file(valid);
    FileHeader header;
    std::memcpy(&header, valid.data(), sizeof header);
    flip_bits(file);
    set_values(file.bytes(), sizeof header + header.metadata_bytes);
    std::printf("%s, %zu bytes, %llu of metadata\n", name.c_str(), valid.size(),
                static_cast<unsigned long long>(header.metadata_bytes));
    as_is_.print("as they are");
    repaired_.print("with a right checksum");
    std::fflush(stdout);
    all_as_is_.add(as_is_);
    all_repaired_.add(repaired_);
  }

  void print_sum() const {
    std::printf("all files\n");
    all_as_is_.print("as they are");
    all_repaired_.print("with a right checksum");
    std::printf("%llu loads, every one an error that names the file or a valid run\n",
                static_cast<unsigned long long>(all_as_is_.loads + all_repaired_.loads));
  }

 private:
  void truncate(std::span<const std::byte> valid) {
    for (std::size_t size = 0; size < valid.size(); ++size) {
      if (!is_turn()) continue;
      File file(valid.first(size));
      load(file.bytes(), as_is_, "cut to", size, 0);
      if (size < sizeof(FileHeader)) continue;
      repair_checksum(file.bytes());
      load(file.bytes(), repaired_, "cut to", size, 0);
    }
  }

  // Of all of the file: the data too, which a right checksum makes another network.
  void flip_bits(File& file) {
    for (std::size_t i = 0; i < file.bytes().size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        const auto flipped =
            static_cast<std::uint8_t>(std::to_integer<unsigned>(file.bytes()[i]) ^ 1u << bit);
        put(file.bytes(), i, flipped, "bit flipped at byte");
      }
    }
  }

  void set_values(std::span<std::byte> file, std::size_t end) {
    for (std::size_t i = 0; i < end; ++i) {
      for (const unsigned value : {0x00u, 0x01u, 0x7fu, 0x80u, 0xffu}) {
        put(file, i, static_cast<std::uint8_t>(value), "byte");
      }
      if (i % 2 == 0) set_integers<std::uint16_t>(file, i, end);
      if (i % 4 == 0) set_integers<std::uint32_t>(file, i, end);
      if (i % 4 == 0) set_floats(file, i, end);
      if (i % 8 == 0) set_integers<std::uint64_t>(file, i, end);
    }
  }

  template <class Field>
  void set_integers(std::span<std::byte> file, std::size_t at, std::size_t end) {
    if (at + sizeof(Field) > end) return;
    Field old;
    std::memcpy(&old, file.data() + at, sizeof old);
    constexpr Field kMax = std::numeric_limits<Field>::max();
    const auto size = static_cast<Field>(file.size());
    const Field values[] = {0, 1, kMax, kMax / 2, kMax / 2 + 1,  // 0, 1, -1, largest, smallest
                            size, static_cast<Field>(size + 1),
                            // A neighbour of what is valid, where an off-by-one would hide.
                            static_cast<Field>(old - 1), static_cast<Field>(old + 1),
                            static_cast<Field>(old - 4), static_cast<Field>(old + 4)};
    for (const Field value : values) put(file, at, value, "field at byte");
  }

  void set_floats(std::span<std::byte> file, std::size_t at, std::size_t end) {
    if (at + sizeof(float) > end) return;
    using Float = std::numeric_limits<float>;
    for (const float value :
         {Float::quiet_NaN(), Float::infinity(), -Float::infinity(), Float::denorm_min(),
          Float::min(), Float::max(), Float::lowest(), 1.0f, -1.0f, 0x1p-60f}) {
      put(file, at, value, "float at byte");
    }
  }

  // Loads the file with a value in place of what is there, twice, and puts that back.
  template <class Value>
  void put(std::span<std::byte> file, std::size_t at, Value value, const char* what) {
    std::byte* place = file.data() + at;
    Value old;
    std::memcpy(&old, place, sizeof old);
    if (std::memcmp(&old, &value, sizeof old) == 0 || !is_turn()) return;
    std::byte header[sizeof(FileHeader)];
    std::memcpy(header, file.data(), sizeof header);
    std::memcpy(place, &value, sizeof value);
    load(file, as_is_, what, at, sizeof value);
    repair_checksum(file);
    load(file, repaired_, what, at, sizeof value);
    std::memcpy(file.data(), header, sizeof header);
    std::memcpy(place, &old, sizeof old);
  }

  bool is_turn() { return turn_++ % stride_ == 0; }

  void load(std::span<const std::byte> file, Count& count, const char* what, std::size_t at,
            std::size_t width) {
    ++count.loads;
    octet_error error{};
    const std::string wrong = load_and_run(file, kName, error);
    if (!wrong.empty()) {
      std::fprintf(stderr, "%s, %s %zu (%zu bytes): %s\n", name_.c_str(), what, at, width,
                   wrong.c_str());
      std::exit(1);
    }
    if (error.status == OCTET_OK) {
      ++count.ran;
    } else {
      ++count.errors[error.status];
    }
  }

  std::uint64_t stride_;
  std::uint64_t turn_ = 0;
  std::string name_;
  Count as_is_, repaired_, all_as_is_, all_repaired_;
};

std::uint64_t stride_of(int argc, char** argv) {
  if (argc == 1) return 1;
  std::uint64_t stride = 0;
  if (argc == 3 && std::string_view(argv[1]) == "--stride") {
    const std::string_view text = argv[2];
    std::from_chars(text.data(), text.data() + text.size(), stride);
  }
  if (stride == 0) {
    std::fprintf(stderr, "usage: octet_single_faults [--stride N]\n");
    std::exit(2);
  }
  return stride;
}

}  // namespace

int main(int argc, char** argv) {
  Suite suite(stride_of(argc, argv));
  for (const std::string& path : {kGolden, kGolden2, kGolden3}) {
    suite.run(path.substr(path.rfind('/') + 1), ModelBytes(path).bytes);
  }
  // Other orders of ops, ranks and outputs; large constants would only make it slow.
  constexpr std::size_t kSmall = 6000;
  std::size_t made = 0;
  for (std::uint32_t seed = 1; made < 15; ++seed) {
    const std::vector<std::byte> bytes = octet::convert::write_model(RandomGraph(seed).graph());
    if (bytes.size() > kSmall || bytes.size() < kSmall / 4) continue;
    octet_error error{};
    if (!load_and_run(bytes, kName, error).empty() || error.status != OCTET_OK) continue;
    ++made;
    suite.run("random graph " + std::to_string(seed), bytes);
  }
  suite.print_sum();
}
