// SPDX-License-Identifier: Apache-2.0
// Structured mutation: the FlatBuffer's objects, changed a few at a time.
// clang-format off
#include "engine/metadata.h"  // with the object API: tests/fuzz/CMakeLists.txt generates it
// clang-format on

#include <algorithm>

#include "tests/fuzz/model_mutators.h"

namespace octet::fuzz {
namespace {

class FieldMutator {
 public:
  FieldMutator(fb::ModelT& model, std::vector<std::uint8_t>& data, unsigned seed)
      : model_(model), data_(data), random_(seed) {}

  void run() {
    for (std::size_t i = 0, changes = one_in(2) ? 1 : 1 + below(4); i < changes; ++i) change();
    if (!one_in(8)) fit_data();
  }

 private:
  std::size_t below(std::size_t below) { return (random_.next() >> 16) % below; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  // A value near the old one, a small one, or one at an end of its type.
  template <class T>
  T integer(T old) {
    constexpr std::int64_t kEnds[] = {
        0,     -1,         1,          127,        128,  255,    256,        65535,
        65536, 0x7fffffff, 0x80000000, 0xffffffff, 4096, 262144, 0x10000000, -0x80000000LL};
    switch (below(4)) {
      case 0:
        return static_cast<T>(kEnds[below(std::size(kEnds))]);
      case 1:
        return static_cast<T>(static_cast<std::int64_t>(old) + (one_in(2) ? 1 : -1));
      case 2:
        return static_cast<T>(random_.next());
      default:
        return static_cast<T>(below(20));
    }
  }
  float real() {
    constexpr float kScales[] = {1.0f, 0.5f, 0.01f, 1e-38f, 1e-30f, 1e30f, 255.0f};
    return one_in(2) ? draw_float(random_) : kScales[below(std::size(kScales))];
  }
  std::uint32_t tensor_index() {
    return one_in(16) ? integer(std::uint32_t{0})
                      : static_cast<std::uint32_t>(below(model_.tensors.size() + 1));
  }
  std::string text() {
    constexpr const char* kTexts[] = {"", "a", "a=b", "a=", "=", "\x01", "\xff", "\xe2\x80\xae=x"};
    return one_in(16) ? std::string(1 + below(1100), 'n') : kTexts[below(std::size(kTexts))];
  }

  // Sets, inserts or erases one entry.
  template <class T, class Make>
  void change_list(std::vector<T>& list, const Make& make) {
    const std::size_t at = below(list.size() + 1);
    const auto where = list.begin() + static_cast<std::ptrdiff_t>(at);
    if (at == list.size() || one_in(4)) {
      list.insert(where, make(T{}));
    } else if (one_in(4)) {
      list.erase(where);
    } else {
      list[at] = make(list[at]);
    }
  }
  // Of tables: swaps, copies or erases one.
  template <class T>
  void change_tables(std::vector<std::unique_ptr<T>>& list) {
    if (list.empty()) return;
    const std::size_t at = below(list.size());
    const auto where = list.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(3)) {
      case 0:
        std::swap(list[at], list[below(list.size())]);
        return;
      case 1:
        list.erase(where);
        return;
      default:
        if (list.size() < 64) list.insert(where, std::make_unique<T>(*list[at]));
    }
  }

  void change() {
    switch (below(16)) {
      case 0:
        return change_tables(model_.nodes);
      case 1:
        return change_tables(model_.tensors);
      case 2:
        return change_tables(model_.inputs);
      case 3:
        return change_list(model_.outputs, [&](auto) { return tensor_index(); });
      case 4:
        if (!model_.inputs.empty()) change_input(*model_.inputs[below(model_.inputs.size())]);
        return;
      case 5:
        if (one_in(8)) model_.arithmetic_version = integer(model_.arithmetic_version);
        return change_list(model_.metadata, [&](auto) { return text(); });
      case 6:
        return change_data();
      case 7:
      case 8:
        return change_extent();
      case 9:
      case 10:
      case 11:
        if (!model_.tensors.empty()) change_tensor(*model_.tensors[below(model_.tensors.size())]);
        return;
      default:
        if (!model_.nodes.empty()) change_node(*model_.nodes[below(model_.nodes.size())]);
    }
  }

  void change_input(fb::InputT& input) {
    if (one_in(2)) {
      input.tensor = tensor_index();
    } else if (input.normalization == nullptr || one_in(2)) {
      input.normalization = std::make_unique<fb::Normalization>(real(), real());
    } else {
      input.normalization.reset();
    }
  }

  // Bytes of a constant, or a float among them.
  void change_data() {
    if (data_.empty()) return;
    if (one_in(2)) {
      data_[below(data_.size())] = static_cast<std::uint8_t>(random_.next() >> 32);
    } else if (data_.size() >= sizeof(float)) {
      const float value = real();
      const std::size_t at = below(data_.size() / sizeof value) * sizeof value;
      std::memcpy(data_.data() + at, &value, sizeof value);
    }
  }

  // One extent wherever it is: a network of another width, which may well be valid.
  void change_extent() {
    if (model_.tensors.empty()) return;
    const fb::TensorT& any = *model_.tensors[below(model_.tensors.size())];
    if (any.shape.empty()) return;
    const std::int32_t from = any.shape[below(any.shape.size())];
    const std::int32_t to = one_in(8) ? integer(from) : static_cast<std::int32_t>(1 + below(100));
    if (from == -1 && !one_in(8)) return;
    for (const auto& tensor : model_.tensors) std::ranges::replace(tensor->shape, from, to);
  }

  void change_tensor(fb::TensorT& tensor) {
    switch (below(7)) {
      case 0:
        tensor.dtype = static_cast<fb::DType>(one_in(4) ? random_.next() >> 56 : below(4));
        return;
      case 1:
      case 2:
        return change_list(tensor.shape, [&](std::int32_t old) { return integer(old); });
      case 3:
        tensor.scale = real();
        return;
      case 4:
        tensor.zero_point = integer(tensor.zero_point);
        return;
      case 5:
        tensor.is_constant = !tensor.is_constant;
        return;
      default:
        tensor.name = text();
    }
  }

  void change_node(fb::NodeT& node) {
    switch (below(11)) {
      case 0:
        node.op = static_cast<fb::Op>(one_in(8) ? random_.next() >> 56 : below(21));
        return;
      case 1:
      case 2:
        return change_list(node.inputs, [&](auto) { return tensor_index(); });
      case 3:
        node.output = tensor_index();
        return;
      case 4:
        node.clip_min = real();
        return;
      case 5:
        node.clip_max = real();
        return;
      case 6:
        node.axis = integer(node.axis);
        return;
      case 7:
        node.start = integer(node.start);
        return;
      case 8:
        node.inner = integer(node.inner);
        return;
      case 9:
        node.group = integer(node.group);
        return;
      default:
        return change_list(node.perm, [&](std::uint8_t old) { return integer(old); });
    }
  }

  // As many bytes as the constants need, new ones by chance; none where that is much.
  void fit_data() {
    std::uint64_t end = 0;
    for (const auto& tensor : model_.tensors) {
      if (!tensor->is_constant) continue;
      const bool wide = tensor->dtype == fb::DType::f32 || tensor->dtype == fb::DType::s32;
      std::uint64_t bytes = wide ? 4 : 1;
      for (const std::int32_t extent : tensor->shape) {
        if (extent <= 0 || extent > 4096 || bytes > 4096) return;
        bytes *= static_cast<std::uint64_t>(extent);
      }
      end = engine::align_data(end) + bytes;
    }
    if (end > 1 << 16) return;
    for (std::size_t i = data_.size(); i < end; ++i) {
      data_.push_back(static_cast<std::uint8_t>(random_.next() >> 32));
    }
    data_.resize(end);
  }

  fb::ModelT& model_;
  std::vector<std::uint8_t>& data_;
  data::SplitMix64 random_;
};

}  // namespace

std::size_t mutate_fields(std::uint8_t* data, std::size_t size, std::size_t max_size,
                          unsigned seed) {
  std::optional<ModelParts> parts = split_model({data, size});
  if (!parts) return mutate_bytes(data, size, max_size, seed);
  octet_flatbuffers::Verifier verifier(parts->metadata.data(), parts->metadata.size());
  if (!fb::VerifyModelBuffer(verifier)) return mutate_bytes(data, size, max_size, seed);
  fb::ModelT model;
  fb::GetModel(parts->metadata.data())->UnPackTo(&model);
  FieldMutator(model, parts->data, seed).run();
  octet_flatbuffers::FlatBufferBuilder builder;
  builder.Finish(fb::Model::Pack(builder, &model));
  const std::span<const std::uint8_t> packed(builder.GetBufferPointer(), builder.GetSize());
  parts->metadata.assign(packed.begin(), packed.end());
  parts->header.magic = engine::kMagic;
  parts->header.container_version = engine::kContainerVersion;
  parts->header.reader_version = engine::kReaderVersion;
  const std::vector<std::uint8_t> result = join_model(*parts);
  if (result.size() > max_size) return mutate_bytes(data, size, max_size, seed);
  std::copy(result.begin(), result.end(), data);
  return result.size();
}

}  // namespace octet::fuzz
