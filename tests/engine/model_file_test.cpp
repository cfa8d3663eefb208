// SPDX-License-Identifier: Apache-2.0
// Reading model files: the golden file, damaged in every way. tests/golden/v1.octet holds
// every_op_graph(), as version 1 of the writer wrote it.
#include "engine/model_file.h"
#include "engine/metadata.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "engine/inspect.h"
#include "engine/mapped_file.h"
#include "tests/engine/graph_builder.h"
#include "tests/engine/test_error.h"

using namespace octet;
using namespace octet::engine;
using octet::testing::error_of;

namespace {

const std::string kGolden = OCTET_SOURCE_DIR "/tests/golden/v1.octet";

// A file in memory, to be changed.
struct File {
  std::vector<std::byte> bytes;

  File() {
    const MappedFile file(kGolden, MappedFile::Mode::map, 1 << 20);
    bytes.assign(file.bytes().begin(), file.bytes().end());
  }
  // A file with metadata of the test's own and zeros as data.
  File(octet_flatbuffers::FlatBufferBuilder& builder, std::size_t data_bytes)
      : bytes(data_offset(builder.GetSize()) + data_bytes) {
    const FileHeader header{
        kMagic, kContainerVersion, kReaderVersion, builder.GetSize(), data_bytes, 0};
    std::memcpy(bytes.data(), &header, sizeof header);
    if (builder.GetSize() > 0) {
      std::memcpy(bytes.data() + sizeof header, builder.GetBufferPointer(), builder.GetSize());
    }
    repair();
  }

  FileHeader header() const {
    FileHeader result;
    std::memcpy(&result, bytes.data(), sizeof result);
    return result;
  }
  void set_header(const FileHeader& header) { std::memcpy(bytes.data(), &header, sizeof header); }
  // Makes the checksum right again.
  void repair() {
    FileHeader fixed = header();
    const std::span<const std::byte> body = std::span(bytes).subspan(sizeof fixed);
    const std::size_t split = std::min<std::size_t>(fixed.metadata_bytes, body.size());
    fixed.checksum = file_checksum(fixed, body.first(split), body.subspan(split));
    set_header(fixed);
  }
  // Changes a scalar field that is present.
  template <class T, class Table>
  void set(const Table* table, std::uint16_t field, T value) {
    auto* at = const_cast<std::uint8_t*>(
        reinterpret_cast<const octet_flatbuffers::Table*>(table)->GetAddressOf(field));
    REQUIRE(at != nullptr);
    std::memcpy(at, &value, sizeof value);
  }
  const fb::Model& model() const { return *fb::GetModel(bytes.data() + sizeof(FileHeader)); }

  std::string error(const Limits& limits = {}) const {
    return error_of([&] { parse_model(bytes, "net.octet", limits); });
  }
};

}  // namespace

TEST_CASE("the golden file of version 1 still loads") {
  const LoadedGraph loaded = read_graph(kGolden);
  CHECK(octet::testing::same_graph(loaded.graph, octet::testing::every_op_graph().graph));
  CHECK(loaded.arithmetic_version == 1);
  CHECK(loaded.reader_version == 1);
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
  const File golden;
  std::vector<std::byte> shifted(golden.bytes.size() + 8);
  std::ranges::copy(golden.bytes, shifted.begin() + 8);
  CHECK(error_of([&] { parse_model(std::span(shifted).subspan(8), "net.octet", {}); }) ==
        "argument: net.octet: its bytes must be aligned to 16");
}

TEST_CASE("every truncation is an error of the format") {
  const File golden;
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
  File file;
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
  File file;
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
    File file;
    FileHeader header = file.header();
    change(header);
    file.set_header(header);
    file.repair();
    return file.error();
  };
  const File golden;
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
  CHECK(error([](FileHeader& h) { h.reader_version = 2; }) ==
        "unsupported: net.octet: needs reader version 2, this octet has version 1; update octet");
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
  File file;
  file.bytes.push_back(std::byte{0});
  file.repair();
  CHECK(file.error().ends_with("; something was appended"));
}

TEST_CASE("a wrong checksum shows both") {
  File file;
  file.bytes.back() ^= std::byte{1};
  const std::string error = file.error();
  CHECK(error.starts_with("format: net.octet: is damaged: its checksum is "));
  CHECK(error.ends_with("; copy or convert it again"));
}

TEST_CASE("a file of another arithmetic is refused") {
  for (const std::uint32_t version : {0u, 2u}) {
    File file;
    file.set(&file.model(), fb::Model::VT_ARITHMETIC_VERSION, version);
    file.repair();
    CHECK(file.error() == "unsupported: net.octet: was made for arithmetic version " +
                              std::to_string(version) +
                              ", this octet computes version 1; convert it again");
  }
}

TEST_CASE("an op or dtype of the future is named") {
  File file;
  file.set(file.model().nodes()->Get(1), fb::Node::VT_OP, std::uint8_t{15});
  file.repair();
  CHECK(file.error() ==
        "unsupported: net.octet: node 1 'fc1': op number 15 is unknown, this octet knows 0 to 14;"
        " update octet");
  File other;
  other.set(other.model().tensors()->Get(0), fb::Tensor::VT_DTYPE, std::uint8_t{4});
  other.repair();
  CHECK(other.error() ==
        "unsupported: net.octet: tensor 0 'pixels': has dtype 4, this octet knows 0 to 3; update"
        " octet");
}

TEST_CASE("constants that do not fill the data exactly are errors") {
  const auto error = [](std::size_t tensor, std::uint32_t extent, std::int32_t value) {
    File file;
    const auto* shape = file.model().tensors()->Get(static_cast<std::uint32_t>(tensor))->shape();
    auto* at = const_cast<std::uint8_t*>(shape->Data()) + extent * sizeof value;
    std::memcpy(at, &value, sizeof value);
    file.repair();
    return file.error();
  };
  const auto graph = octet::testing::every_op_graph();
  const auto data = std::to_string(File().header().data_bytes);
  const std::uint32_t last = graph.index("fc2.bias");
  CHECK(error(last, 0, 3) == "format: net.octet: tensor " + std::to_string(last) +
                                 " 'fc2.bias': its 12 bytes of data begin at 832, the file has " +
                                 data + " bytes of data");
  CHECK(error(last, 0, 1) ==
        "format: net.octet: has " + data + " bytes of data, its constants need 836");
  CHECK(error(last, 0, 0) == "format: net.octet: tensor " + std::to_string(last) +
                                 " 'fc2.bias': a constant cannot have shape 0");
  CHECK(error(graph.index("mix.weight"), 1, -1) ==
        "format: net.octet: tensor " + std::to_string(graph.index("mix.weight")) +
            " 'mix.weight': a constant cannot have shape 3xN");
}

TEST_CASE("limits name the number and the limit") {
  const File golden;
  const auto size = golden.bytes.size();
  CHECK(golden.error({.file_bytes = size - 1}) == "limit: net.octet: has " + std::to_string(size) +
                                                      " bytes, the limit file_bytes is " +
                                                      std::to_string(size - 1));
  CHECK(golden.error({.file_bytes = size}) == "nothing");
  const auto tensors = octet::testing::every_op_graph().graph.tensors.size();
  CHECK(golden.error({.tensors = tensors - 1}) ==
        "limit: net.octet: has " + std::to_string(tensors) + " tensors, the limit tensors is " +
            std::to_string(tensors - 1));
  CHECK(golden.error({.tensors = tensors}) == "nothing");
}

namespace {

using Builder = octet_flatbuffers::FlatBufferBuilder;
using Text = octet_flatbuffers::Offset<octet_flatbuffers::String>;

// The smallest model, an input that is the output, with `names` tensors of one shared name and
// metadata lines.
File tiny(const std::string& name, std::uint32_t names, const std::vector<std::string>& lines) {
  Builder builder;
  const Text shared = builder.CreateString(name);
  std::vector<octet_flatbuffers::Offset<fb::Tensor>> tensors;
  for (std::uint32_t i = 0; i < names; ++i) {
    const auto shape = builder.CreateVector(std::vector<std::int32_t>{-1});
    tensors.push_back(fb::CreateTensor(builder, shared, fb::DType::f32, shape));
  }
  std::vector<Text> metadata;
  for (const std::string& line : lines) metadata.push_back(builder.CreateString(line));
  const auto tensor_list = builder.CreateVector(tensors);
  const auto inputs = builder.CreateVector(
      std::vector<octet_flatbuffers::Offset<fb::Input>>{fb::CreateInput(builder, 0)});
  const auto outputs = builder.CreateVector(std::vector<std::uint32_t>{0});
  const auto metadata_list = builder.CreateVector(metadata);
  builder.Finish(
      fb::CreateModel(builder, kArithmeticVersion, tensor_list, 0, inputs, outputs, metadata_list));
  return File(builder, 0);
}

}  // namespace

TEST_CASE("the smallest model is an input that is the output") {
  CHECK(tiny("x", 1, {}).error() == "nothing");
}

TEST_CASE("strings that many tables share cannot grow in memory") {
  CHECK(tiny(std::string(1000, 'x'), 60, {}).error() ==
        "format: net.octet: its metadata shares strings or vectors between owners");
}

TEST_CASE("names and metadata must be printable") {
  CHECK(tiny("a\x1b[31m", 1, {}).error() ==
        "format: net.octet: tensor 0: its text is not UTF-8 without control characters");
  CHECK(tiny("x", 1, {"source=a\nb"}).error() ==
        "format: net.octet: metadata 0: its text is not UTF-8 without control characters");
  CHECK(tiny("x", 1, {"a=1", "source"}).error() ==
        "format: net.octet: metadata 1: is not KEY=VALUE");
  CHECK(tiny("x", 1, {"a=1", "a=2"}).error() ==
        "format: net.octet: metadata has the key 'a' twice");
  CHECK(tiny("x", 1, {"=2"}).error() == "format: net.octet: metadata 0: has no key");
}

TEST_CASE("metadata that is no FlatBuffer of the schema is refused") {
  Builder empty;
  CHECK(File(empty, 0).error() ==
        "format: net.octet: its 0 bytes of metadata are no valid FlatBuffer of octet's schema;"
        " convert it again");
  Builder builder;
  const auto start = builder.StartTable();  // a table without the fields that are required
  builder.Finish(octet_flatbuffers::Offset<fb::Model>(builder.EndTable(start)));
  const File file(builder, 0);
  CHECK(file.error() == "format: net.octet: its " + std::to_string(builder.GetSize()) +
                            " bytes of metadata are no valid FlatBuffer of octet's schema; convert"
                            " it again");
}
