// SPDX-License-Identifier: Apache-2.0
// Engine graph -> the layout of engine/model_file.h. Offsets follow the order of the tensors;
// nothing depends on time, machine or addresses.
#include "tools/convert/model_writer.h"

#include <algorithm>
#include <cstring>

#include "engine/metadata.h"
#include "engine/model_file.h"

namespace octet::convert {
namespace {

namespace fb = octet::fb;
using Builder = octet_flatbuffers::FlatBufferBuilder;
template <class T>
using Offset = octet_flatbuffers::Offset<T>;
using String = Offset<octet_flatbuffers::String>;

// An empty name is left out: it costs nothing.
String name_of(Builder& builder, const std::string& name) {
  return name.empty() ? String{} : builder.CreateString(name);
}

Offset<fb::Tensor> add_tensor(Builder& builder, const engine::Tensor& tensor) {
  const std::vector<std::int32_t> extents(tensor.shape.begin(), tensor.shape.end());
  const auto name = name_of(builder, tensor.name);
  const auto shape = builder.CreateVector(extents);
  fb::TensorBuilder table(builder);
  if (!name.IsNull()) table.add_name(name);
  table.add_shape(shape);
  table.add_scale(tensor.scale);
  table.add_zero_point(tensor.zero_point);
  table.add_dtype(static_cast<fb::DType>(tensor.dtype));
  table.add_is_constant(tensor.is_constant);
  return table.Finish();
}

Offset<fb::Node> add_node(Builder& builder, const engine::Node& node) {
  const auto name = name_of(builder, node.name);
  const auto inputs = builder.CreateVector(node.inputs);
  const std::vector<std::uint8_t> axes(node.perm.begin(), node.perm.end());
  const auto perm =
      axes.empty() ? Offset<octet_flatbuffers::Vector<std::uint8_t>>{} : builder.CreateVector(axes);
  fb::NodeBuilder table(builder);
  if (!name.IsNull()) table.add_name(name);
  table.add_inputs(inputs);
  table.add_output(node.output);
  table.add_clip_min(node.clip_min);
  table.add_clip_max(node.clip_max);
  table.add_axis(node.axis);
  table.add_start(node.start);
  table.add_inner(node.inner);
  table.add_group(node.group);
  if (!perm.IsNull()) table.add_perm(perm);
  table.add_op(static_cast<fb::Op>(node.op));
  return table.Finish();
}

// The oldest reader that knows what the graph uses.
std::uint32_t needed_reader(const engine::Graph& graph) {
  std::uint32_t version = 1;
  for (const engine::Node& node : graph.nodes) {
    const bool sums = graph.tensors[node.output].dtype == engine::DType::s32;
    if (node.op >= engine::OpType::dynamic_linear || sums) return 3;
    if (node.op == engine::OpType::group_linear ||
        (node.op == engine::OpType::add && (graph.tensors[node.inputs[0]].is_constant ||
                                            graph.tensors[node.inputs[1]].is_constant))) {
      version = 2;
    }
  }
  return version;
}

Offset<fb::Input> add_input(Builder& builder, const engine::GraphInput& input) {
  const fb::Normalization normalization(input.normalization.mean, input.normalization.std);
  return fb::CreateInput(builder, input.tensor, input.has_normalization ? &normalization : nullptr);
}

void build_metadata(Builder& builder, const engine::Graph& graph) {
  std::vector<Offset<fb::Tensor>> tensors;
  for (const engine::Tensor& tensor : graph.tensors) {
    tensors.push_back(add_tensor(builder, tensor));
  }
  std::vector<Offset<fb::Node>> nodes;
  for (const engine::Node& node : graph.nodes) nodes.push_back(add_node(builder, node));
  std::vector<Offset<fb::Input>> inputs;
  for (const engine::GraphInput& input : graph.inputs) inputs.push_back(add_input(builder, input));
  std::vector<String> metadata;
  for (const auto& [key, value] : graph.metadata) {
    metadata.push_back(builder.CreateString(key + '=' + value));
  }
  // Named, because the order of evaluation of arguments, and so of bytes, is the compiler's choice.
  const auto tensor_list = builder.CreateVector(tensors);
  const auto node_list = builder.CreateVector(nodes);
  const auto input_list = builder.CreateVector(inputs);
  const auto output_list = builder.CreateVector(graph.outputs);
  const auto metadata_list = builder.CreateVector(metadata);
  builder.Finish(fb::CreateModel(builder, engine::kArithmeticVersion, tensor_list, node_list,
                                 input_list, output_list, metadata_list));
}

}  // namespace

std::vector<std::byte> write_model(const engine::Graph& graph) {
  Builder builder;
  build_metadata(builder, graph);
  engine::FileHeader header{
      engine::kMagic, engine::kContainerVersion, needed_reader(graph), builder.GetSize(), 0, 0};
  std::vector<std::byte> bytes(engine::data_offset(header.metadata_bytes));
  const std::size_t data_start = bytes.size();
  std::memcpy(bytes.data() + sizeof header, builder.GetBufferPointer(), builder.GetSize());
  for (const engine::Tensor& tensor : graph.tensors) {
    if (!tensor.is_constant) continue;
    bytes.resize(engine::align_data(bytes.size()));
    bytes.insert(bytes.end(), tensor.data.begin(), tensor.data.end());
  }
  header.data_bytes = bytes.size() - data_start;
  const std::span<const std::byte> body = std::span(bytes).subspan(sizeof header);
  header.checksum = engine::file_checksum(header, body.first(header.metadata_bytes),
                                          body.subspan(header.metadata_bytes));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

}  // namespace octet::convert
