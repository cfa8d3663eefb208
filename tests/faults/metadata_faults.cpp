// SPDX-License-Identifier: Apache-2.0
// What the schema and FlatBuffers' verifier refuse, and metadata that no writer of octet would
// make.
#include "tests/engine/model_bytes.h"
#include "tests/faults/malformed.h"

namespace octet::test {
namespace {

using Builder = octet_flatbuffers::FlatBufferBuilder;
using octet_flatbuffers::uoffset_t;

// The golden file after a change to its metadata, with a right checksum.
Malformed golden(const char* name, void (*change)(ModelBytes&), const std::string& message) {
  return {name,
          [change] {
            ModelBytes file;
            change(file);
            file.repair();
            return parse(file.bytes);
          },
          message};
}

// The same, and the verifier must see it.
Malformed invalid(const char* name, void (*change)(ModelBytes&)) {
  return golden(name, change,
                "format: net.octet: its 2608 bytes of metadata are no valid FlatBuffer of octet's"
                " schema; convert it again");
}

// Metadata that a builder made, without data.
Malformed built(const char* name, void (*build)(Builder&), const std::string& message) {
  return {name,
          [build] {
            Builder builder;
            build(builder);
            return parse(ModelBytes(builder, 0).bytes);
          },
          message};
}

template <class T>
void put(ModelBytes& file, const void* at, T value) {
  std::memcpy(const_cast<void*>(at), &value, sizeof value);
  (void)file;
}

const std::uint8_t* bytes_of(const void* table) {
  return static_cast<const std::uint8_t*>(table);
}

// Where a table's entry of a field lies in its vtable.
const std::uint8_t* slot(const void* table, std::uint16_t field) {
  const auto* start = bytes_of(table);
  return start - octet_flatbuffers::ReadScalar<octet_flatbuffers::soffset_t>(start) + field;
}

void remove(ModelBytes& file, const void* table, std::uint16_t field) {
  put(file, slot(table, field), std::uint16_t{0});
}

void flatten(Builder& builder) {  // a table without the fields that are required
  const auto start = builder.StartTable();
  builder.Finish(octet_flatbuffers::Offset<fb::Model>(builder.EndTable(start)));
}

// An input that is the output, and one line of metadata.
void with_line(Builder& builder, const std::string& line) {
  const auto name = builder.CreateString("x");
  const auto shape = builder.CreateVector(std::vector<std::int32_t>{-1});
  const auto tensors = builder.CreateVector(std::vector<octet_flatbuffers::Offset<fb::Tensor>>{
      fb::CreateTensor(builder, name, fb::DType::f32, shape)});
  const auto inputs = builder.CreateVector(
      std::vector<octet_flatbuffers::Offset<fb::Input>>{fb::CreateInput(builder, 0)});
  const auto outputs = builder.CreateVector(std::vector<std::uint32_t>{0});
  const auto lines = builder.CreateVectorOfStrings({line});
  builder.Finish(
      fb::CreateModel(builder, engine::kArithmeticVersion, tensors, 0, inputs, outputs, lines));
}

}  // namespace

MalformedFiles metadata_faults() {
  return {
      {"flatbuffer/no bytes",
       [] {
         Builder empty;
         return parse(ModelBytes(empty, 0).bytes);
       },
       "format: net.octet: its 0 bytes of metadata are no valid FlatBuffer of octet's schema;"
       " convert it again"},
      built("flatbuffer/a model without fields", flatten,
            "format: net.octet: its 12 bytes of metadata are no valid FlatBuffer of octet's schema;"
            " convert it again"),
      invalid("flatbuffer/a root beyond the end",
              [](ModelBytes& f) { put(f, &f.bytes[40], uoffset_t{2608}); }),
      invalid("flatbuffer/a root that wraps",
              [](ModelBytes& f) { put(f, &f.bytes[40], uoffset_t{0xffffffff}); }),
      invalid("flatbuffer/a root that points to itself",
              [](ModelBytes& f) { put(f, &f.bytes[40], uoffset_t{0}); }),
      invalid(
          "flatbuffer/a root off its alignment",
          [](ModelBytes& f) { f.bytes[40] = std::byte(std::to_integer<int>(f.bytes[40]) + 1); }),
      invalid("flatbuffer/a vtable before the metadata",
              [](ModelBytes& f) { put(f, &f.model(), std::int32_t{0x7fffffff}); }),
      invalid("flatbuffer/a vtable of odd size",
              [](ModelBytes& f) { put(f, slot(&f.model(), 0), std::uint16_t{7}); }),
      invalid("flatbuffer/a vtable beyond the end",
              [](ModelBytes& f) { put(f, slot(&f.model(), 0), std::uint16_t{0xfffe}); }),
      invalid("flatbuffer/a field beyond the end",
              [](ModelBytes& f) {
                put(f, slot(&f.model(), fb::Model::VT_ARITHMETIC_VERSION), std::uint16_t{0xfffc});
              }),
      invalid(
          "flatbuffer/a field off its alignment",
          [](ModelBytes& f) { put(f, slot(&f.model(), fb::Model::VT_TENSORS), std::uint16_t{5}); }),
      invalid("flatbuffer/no tensors",
              [](ModelBytes& f) { remove(f, &f.model(), fb::Model::VT_TENSORS); }),
      invalid("flatbuffer/no inputs",
              [](ModelBytes& f) { remove(f, &f.model(), fb::Model::VT_INPUTS); }),
      invalid("flatbuffer/no outputs",
              [](ModelBytes& f) { remove(f, &f.model(), fb::Model::VT_OUTPUTS); }),
      invalid("flatbuffer/a tensor without shape",
              [](ModelBytes& f) { remove(f, f.model().tensors()->Get(0), fb::Tensor::VT_SHAPE); }),
      invalid("flatbuffer/a node without inputs",
              [](ModelBytes& f) { remove(f, f.model().nodes()->Get(0), fb::Node::VT_INPUTS); }),
      invalid("flatbuffer/a vector of 2^32 - 1 tensors",
              [](ModelBytes& f) {
                put(f, bytes_of(f.model().tensors()->Data()) - 4, uoffset_t{0xffffffff});
              }),
      invalid("flatbuffer/a vector of 2^30 outputs",
              [](ModelBytes& f) {
                put(f, bytes_of(f.model().outputs()->Data()) - 4, uoffset_t{1} << 30);
              }),
      invalid("flatbuffer/a shape beyond the end",
              [](ModelBytes& f) {
                put(f, bytes_of(f.model().tensors()->Get(0)->shape()->Data()) - 4, uoffset_t{2600});
              }),
      invalid("flatbuffer/a tensor beyond the end",
              [](ModelBytes& f) { put(f, f.model().tensors()->Data(), uoffset_t{0x7ffffff0}); }),
      invalid("flatbuffer/a tensor at offset 0",
              [](ModelBytes& f) { put(f, f.model().tensors()->Data(), uoffset_t{0}); }),
      invalid("flatbuffer/a name beyond the end",
              [](ModelBytes& f) {
                put(f, bytes_of(f.model().tensors()->Get(0)->name()->Data()) - 4,
                    uoffset_t{0x7fffffff});
              }),
      invalid("flatbuffer/a name without its zero",
              [](ModelBytes& f) {
                const auto* name = f.model().tensors()->Get(0)->name();
                put(f, name->Data() + name->size(), 'x');
              }),
      golden(
          "arithmetic/version 0",
          [](ModelBytes& f) {
            f.set(&f.model(), fb::Model::VT_ARITHMETIC_VERSION, std::uint32_t{0});
          },
          "unsupported: net.octet: was made for arithmetic version 0, this octet computes version "
          "1;"
          " convert it again"),
      golden(
          "arithmetic/version 2",
          [](ModelBytes& f) {
            f.set(&f.model(), fb::Model::VT_ARITHMETIC_VERSION, std::uint32_t{2});
          },
          "unsupported: net.octet: was made for arithmetic version 2, this octet computes version "
          "1;"
          " convert it again"),
      golden(
          "a node that writes beyond the tensors",
          [](ModelBytes& f) {
            f.set(f.model().nodes()->Get(1), fb::Node::VT_OUTPUT, std::uint32_t{77});
          },
          "format: net.octet: node 1 'fc1' (linear): writes tensor 77, there are 30"),
      built(
          "metadata without a value", [](Builder& b) { with_line(b, "source"); },
          "format: net.octet: metadata 0: is not KEY=VALUE"),
      built(
          "metadata without a key", [](Builder& b) { with_line(b, "=net.onnx"); },
          "format: net.octet: metadata 0: has no key"),
      built(
          "metadata with an escape sequence", [](Builder& b) { with_line(b, "a=\x1b[31m"); },
          "format: net.octet: metadata 0 'a': its value is not UTF-8 without control characters"),
      built(
          "metadata with a zero in it",
          [](Builder& b) { with_line(b, std::string("source=\0x", 9)); },
          "format: net.octet: metadata 0 'source': its value is not UTF-8 without control"
          " characters"),
  };
}

}  // namespace octet::test
