// SPDX-License-Identifier: Apache-2.0
// On the wire format: fields are numbers with a value, a text or a message within, whatever the
// schema says of them.
#include "tests/fuzz/mutate_onnx.h"

#include <google/protobuf/unknown_field_set.h>

#include <bit>
#include <vector>

namespace octet::fuzz {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

class WireMutator {
 public:
  explicit WireMutator(unsigned seed) : random_(seed) {}

  void collect(const UnknownFieldSet& fields) {
    for (int i = 0; i < fields.field_count(); ++i) {
      const UnknownField& field = fields.field(i);
      if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
      UnknownFieldSet inner;
      if (is_message(field.length_delimited(), inner)) {
        collect(inner);
      } else if (field.length_delimited().size() <= 32) {
        texts_.push_back(field.length_delimited());
      }
    }
  }

  void change(UnknownFieldSet& fields) {
    if (fields.field_count() == 0) return;
    const int at = pick(fields);
    if (below(6) == 0) return change_order(fields, at);
    UnknownField& field = *fields.mutable_field(at);
    switch (field.type()) {
      case UnknownField::TYPE_VARINT:
        return field.set_varint(integer(field.varint()));
      case UnknownField::TYPE_FIXED32:
        return field.set_fixed32(std::bit_cast<std::uint32_t>(draw_float(random_)));
      case UnknownField::TYPE_FIXED64:
        return field.set_fixed64(random_.next());
      case UnknownField::TYPE_GROUP:
        return change(*field.mutable_group());
      case UnknownField::TYPE_LENGTH_DELIMITED:
        break;
    }
    UnknownFieldSet inner;
    if (is_message(field.length_delimited(), inner)) {
      change(inner);
      std::string bytes;
      inner.SerializeToString(&bytes);
      field.set_length_delimited(bytes);
    } else {
      field.set_length_delimited(text(field.length_delimited()));
    }
  }

 private:
  std::size_t below(std::size_t below) { return (random_.next() >> 16) % below; }

  static bool is_message(const std::string& bytes, UnknownFieldSet& inner) {
    return bytes.size() > 1 && inner.ParseFromString(bytes);
  }

  // Large fields more often: they hold more.
  int pick(const UnknownFieldSet& fields) {
    std::size_t weight = 0;
    const auto weight_of = [&](int i) -> std::size_t {
      const UnknownField& field = fields.field(i);
      const bool has_bytes = field.type() == UnknownField::TYPE_LENGTH_DELIMITED;
      return 2 + (has_bytes ? field.length_delimited().size() : 0);
    };
    for (int i = 0; i < fields.field_count(); ++i) weight += weight_of(i);
    std::size_t left = below(weight);
    int at = 0;
    while (left >= weight_of(at)) left -= weight_of(at++);
    return at;
  }

  // Erases, repeats or moves a field, or gives it another number.
  void change_order(UnknownFieldSet& fields, int at) {
    const UnknownField field = fields.field(at);
    switch (below(3)) {
      case 0:
        fields.DeleteSubrange(at, 1);
        return;
      case 1:
        fields.AddField(field);
        return;
      default:
        if (field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
          fields.AddLengthDelimited(static_cast<int>(1 + below(16)), field.length_delimited());
        } else {
          fields.AddVarint(static_cast<int>(1 + below(24)), integer(0));
        }
    }
  }

  std::uint64_t integer(std::uint64_t old) {
    constexpr std::int64_t kEnds[] = {0,   -1,        1,         127,       128,       255,
                                      256, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1 << 20};
    switch (below(4)) {
      case 0:
        return static_cast<std::uint64_t>(kEnds[below(std::size(kEnds))]);
      case 1:
        return old + 1;
      case 2:
        return old - 1;
      default:
        return below(32);
    }
  }
  // Another of the model's texts, or this one with some bytes changed.
  std::string text(std::string old) {
    if (!texts_.empty() && below(2) == 0) return texts_[below(texts_.size())];
    const std::size_t size = old.size();
    old.resize(size + 16);
    old.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(old.data()), size, old.size()));
    return old;
  }

  data::SplitMix64 random_;
  std::vector<std::string> texts_;
};

}  // namespace

std::size_t mutate_onnx(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  UnknownFieldSet model;
  if (seed % 4 == 0 || !model.ParseFromArray(data, static_cast<int>(size))) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  WireMutator mutator(seed / 16);
  mutator.collect(model);
  for (unsigned i = 0; i <= seed / 4 % 3; ++i) mutator.change(model);
  std::string bytes;
  model.SerializeToString(&bytes);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace octet::fuzz
