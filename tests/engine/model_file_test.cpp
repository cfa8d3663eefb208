// SPDX-License-Identifier: Apache-2.0
// Reading the golden file, whole and damaged in every way.
#include "engine/model_file.h"

#include <doctest/doctest.h>

#include "engine/inspect.h"
#include "tests/engine/graph_builder.h"
#include "tests/engine/model_bytes.h"

namespace octet::test::model_file_test {

using namespace engine;

TEST_CASE("the golden file of version 1 still loads") {
  const LoadedGraph loaded = read_graph(kGolden);
  CHECK(same_graph(loaded.graph, every_op_graph().graph));
  CHECK(loaded.arithmetic_version == 1);
  CHECK(loaded.reader_version == 1);
}

TEST_CASE("the golden file of version 2 still loads") {
  const LoadedGraph loaded = read_graph(kGolden2);
  CHECK(same_graph(loaded.graph, version_2_graph().graph));
  CHECK(loaded.arithmetic_version == 1);
  CHECK(loaded.reader_version == 2);
}

TEST_CASE("the golden file of version 3 still loads") {
  const LoadedGraph loaded = read_graph(kGolden3);
  CHECK(same_graph(loaded.graph, version_3_graph().graph));
  CHECK(loaded.arithmetic_version == 1);
  CHECK(loaded.reader_version == 3);
}

TEST_CASE("constants lie in the parsed bytes at their alignment") {
  const MappedFile file(kGolden, MappedFile::Mode::map, 1 << 20);
  const ParsedModel parsed = parse_model(file.bytes(), "net.octet", {});
  std::size_t constants = 0;
  for (const Tensor& tensor : parsed.graph.tensors) {
    if (!tensor.is_constant) continue;
    ++constants;
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.data.data()) % kDataAlignment == 0);
    CHECK(tensor.data.data() >= file.bytes().data());
    CHECK(tensor.data.data() + tensor.data.size() <= file.bytes().data() + file.bytes().size());
  }
  CHECK(constants == 11);
}

TEST_CASE("bytes at an odd address are refused") {
  const ModelBytes golden;
  std::vector<std::byte> shifted(golden.bytes.size() + 8);
  std::ranges::copy(golden.bytes, shifted.begin() + 8);
  CHECK(error_of([&] { parse_model(std::span(shifted).subspan(8), "net.octet", {}); }) ==
        "argument: net.octet: its bytes must be aligned to 16");
}

TEST_CASE("every truncation is an error of the format") {
  const ModelBytes golden;
  for (std::size_t size = 0; size < golden.bytes.size(); ++size) {
    // A copy of that size, so that AddressSanitizer sees a read past its end.
    const std::vector<std::byte> cut(golden.bytes.begin(),
                                     golden.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string error = error_of([&] { parse_model(cut, "net.octet", {}); });
    CAPTURE(size);
    CHECK(error.starts_with(size < 8 ? "format: net.octet: is no octet model"
                                     : "format: net.octet: is cut short"));
  }
}

TEST_CASE("every flipped bit is found") {
  ModelBytes file;
  const std::size_t end = sizeof(FileHeader) + file.header().metadata_bytes;
  for (std::size_t i = 0; i < file.bytes.size(); ++i) {
    for (int bit = 0; bit < 8; bit += i < end ? 1 : 7) {
      const std::byte flip{static_cast<unsigned char>(1u << bit)};
      file.bytes[i] ^= flip;
      const std::string error = file.error();
      file.bytes[i] ^= flip;
      CAPTURE(i);
      CAPTURE(bit);
      CAPTURE(error);
      CHECK((error.starts_with("format: net.octet: ") ||
             error.starts_with("unsupported: net.octet: ")));
      if (i >= sizeof(FileHeader)) CHECK(error.find("is damaged: its checksum is ") < 30);
    }
  }
  CHECK(file.error() == "nothing");
}

TEST_CASE("a flipped bit with a right checksum gives an error or a valid graph") {
  ModelBytes file;
  const std::size_t end = sizeof(FileHeader) + file.header().metadata_bytes;
  std::size_t valid = 0;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < end; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      const std::byte flip{static_cast<unsigned char>(1u << bit)};
      file.bytes[i] ^= flip;
      file.repair();
      // Anything but octet::Error escapes and fails the test.
      (file.error() == "nothing" ? valid : refused) += 1;
      file.bytes[i] ^= flip;
    }
  }
  // A flip in a name or a scale is a valid graph; one in an offset or an index is not.
  CHECK(valid > 100);
  CHECK(refused > 1000);
  file.repair();
  CHECK(file.error() == "nothing");
}

TEST_CASE("the header's faults are named") {
  const auto error = [](auto change) {
    ModelBytes file;
    FileHeader header = file.header();
    change(header);
    file.set_header(header);
    file.repair();
    return file.error();
  };
  const ModelBytes golden;
  const std::string size = std::to_string(golden.bytes.size());
  const std::string metadata = std::to_string(golden.header().metadata_bytes);
  const std::string data = std::to_string(golden.header().data_bytes);
  const std::uint64_t huge = ~std::uint64_t{0};

  CHECK(error([](FileHeader& h) { h.magic[6] = '\n'; }) ==
        "format: net.octet: is no octet model: it does not begin with octet's eight bytes; make one"
        " with 'octet convert'");
  CHECK(error([](FileHeader& h) { h.container_version = 2; }) ==
        "unsupported: net.octet: has layout version 2, this octet reads version 1; update octet or"
        " convert again");
  CHECK(error([](FileHeader& h) { h.reader_version = 4; }) ==
        "unsupported: net.octet: needs reader version 4, this octet has version 3; update octet");
  CHECK(error([](FileHeader& h) { h.reader_version = 0; }) ==
        "format: net.octet: has reader version 0");
  CHECK(error([&](FileHeader& h) { h.metadata_bytes = huge; }) ==
        "format: net.octet: is cut short: has " + size + " bytes, its header announces " +
            std::to_string(huge) + " of metadata and " + data + " of data");
  CHECK(error([&](FileHeader& h) { h.data_bytes = huge - 63; }) ==
        "format: net.octet: is cut short: has " + size + " bytes, its header announces " +
            metadata + " of metadata and " + std::to_string(huge - 63) + " of data");
  CHECK(error([&](FileHeader& h) { h.data_bytes -= 1; }) ==
        "format: net.octet: has " + size + " bytes, its header announces " +
            std::to_string(golden.bytes.size() - 1) + "; something was appended");
  CHECK(error([&](FileHeader& h) { h.metadata_bytes = 0; }).starts_with("format: net.octet: has "));
}

TEST_CASE("a byte too much is an error") {
  ModelBytes file;
  file.bytes.push_back(std::byte{0});
  file.repair();
  CHECK(file.error().ends_with("; something was appended"));
}

TEST_CASE("a wrong checksum shows both") {
  ModelBytes file;
  file.bytes.back() ^= std::byte{1};
  const std::string error = file.error();
  CHECK(error.starts_with("format: net.octet: is damaged: its checksum is "));
  CHECK(error.ends_with("; copy or convert it again"));
}

TEST_CASE("limits name the number and the limit") {
  const ModelBytes golden;
  const auto size = golden.bytes.size();
  CHECK(golden.error({.file_bytes = size - 1}) == "limit: net.octet: has " + std::to_string(size) +
                                                      " bytes, the limit file_bytes is " +
                                                      std::to_string(size - 1));
  CHECK(golden.error({.file_bytes = size}) == "nothing");
  const auto tensors = every_op_graph().graph.tensors.size();
  CHECK(golden.error({.tensors = tensors - 1}) ==
        "limit: net.octet: has " + std::to_string(tensors) + " tensors, the limit tensors is " +
            std::to_string(tensors - 1));
  CHECK(golden.error({.tensors = tensors}) == "nothing");
}

}  // namespace octet::test::model_file_test
