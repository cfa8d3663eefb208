// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/costly_models.h"

#include <algorithm>
#include <utility>

#include "tests/faults/large_models.h"
#include "tools/convert/model_writer.h"

namespace octet::test {
namespace {

using Bytes = std::vector<std::byte>;
using Builder = octet_flatbuffers::FlatBufferBuilder;
template <class T>
using Offsets = std::vector<octet_flatbuffers::Offset<T>>;

constexpr std::size_t kLarge = std::size_t{24} << 20;
constexpr std::uint32_t kMany = 65536;  // the limit

Bytes finish(Builder& builder, const Offsets<fb::Tensor>& tensors, const Offsets<fb::Node>& nodes,
             const Offsets<fb::Input>& inputs, const std::vector<std::uint32_t>& outputs,
             const Offsets<octet_flatbuffers::String>& lines = {}) {
  const auto tensor_list = builder.CreateVector(tensors);
  const auto node_list = builder.CreateVector(nodes);
  const auto input_list = builder.CreateVector(inputs);
  const auto output_list = builder.CreateVector(outputs);
  const auto line_list = builder.CreateVector(lines);
  builder.Finish(fb::CreateModel(builder, engine::kArithmeticVersion, tensor_list, node_list,
                                 input_list, output_list, line_list));
  return ModelBytes(builder, 0).bytes;
}

octet_flatbuffers::Offset<fb::Tensor> f32(Builder& builder, const std::string& name,
                                          const std::vector<std::int32_t>& shape) {
  const auto name_at = builder.CreateString(name);
  const auto shape_at = builder.CreateVector(shape);
  return fb::CreateTensor(builder, name_at, fb::DType::f32, shape_at);
}

// An input that is the output, and lines of metadata.
Bytes with_line(const std::string& line) {
  Builder builder;
  const auto line_at = builder.CreateString(line);
  return finish(builder, {f32(builder, "x", {-1})}, {}, {fb::CreateInput(builder, 0)}, {0},
                {line_at});
}

Bytes large_name() {
  Builder builder;
  return finish(builder, {f32(builder, std::string(kLarge, 'x'), {-1})}, {},
                {fb::CreateInput(builder, 0)}, {0});
}

Bytes large_shape() {
  Builder builder;
  return finish(builder, {f32(builder, "x", std::vector<std::int32_t>(kLarge / 4, 1))}, {},
                {fb::CreateInput(builder, 0)}, {0});
}

Bytes large_node(bool large_perm) {
  Builder builder;
  const Offsets<fb::Tensor> tensors = {f32(builder, "x", {-1}), f32(builder, "y", {-1})};
  const auto inputs =
      builder.CreateVector(std::vector<std::uint32_t>(large_perm ? 1 : kLarge / 4, 0));
  const auto perm = builder.CreateVector(std::vector<std::uint8_t>(large_perm ? kLarge : 1, 0));
  fb::NodeBuilder node(builder);
  node.add_op(large_perm ? fb::Op::transpose : fb::Op::concat);
  node.add_inputs(inputs);
  if (large_perm) node.add_perm(perm);
  node.add_output(1);
  node.add_axis(large_perm ? 0 : 1);
  const auto node_at = node.Finish();
  return finish(builder, tensors, {node_at}, {fb::CreateInput(builder, 0)}, {1});
}

// One table of each kind, as often as the limit allows: 4 bytes of the file each.
Bytes shared_tables(std::uint32_t tensors, std::uint32_t nodes, std::uint32_t inputs,
                    std::uint32_t outputs, std::uint32_t lines) {
  Builder builder;
  const auto tensor = f32(builder, "x", {-1});
  const auto node_inputs = builder.CreateVector(std::vector<std::uint32_t>{0});
  fb::NodeBuilder node(builder);
  node.add_inputs(node_inputs);
  const auto node_at = node.Finish();
  const auto line = builder.CreateString("a=");
  const auto input = fb::CreateInput(builder, 0);
  return finish(builder, Offsets<fb::Tensor>(tensors, tensor), Offsets<fb::Node>(nodes, node_at),
                Offsets<fb::Input>(inputs, input), std::vector<std::uint32_t>(outputs, 0),
                Offsets<octet_flatbuffers::String>(lines, line));
}

// A node whose million inputs many nodes share.
Bytes shared_inputs() {
  Builder builder;
  const Offsets<fb::Tensor> tensors = {f32(builder, "x", {-1, 1})};
  const auto inputs = builder.CreateVector(std::vector<std::uint32_t>(std::size_t{1} << 18, 0));
  fb::NodeBuilder node(builder);
  node.add_op(fb::Op::concat);
  node.add_inputs(inputs);
  node.add_axis(1);
  const auto node_at = node.Finish();
  return finish(builder, tensors, Offsets<fb::Node>(kMany, node_at), {fb::CreateInput(builder, 0)},
                {0});
}

// Constants of one element, 64 bytes of data each, and an error after the last.
Bytes tiny_constants() {
  Builder builder;
  const auto shape = builder.CreateVector(std::vector<std::int32_t>{1});
  const auto constant = fb::CreateTensor(builder, 0, fb::DType::s8, shape, 0, 0, true);
  Offsets<fb::Tensor> tensors(kMany / 3, constant);
  const auto tensor_list = builder.CreateVector(tensors);
  const auto inputs = builder.CreateVector(Offsets<fb::Input>{fb::CreateInput(builder, 0)});
  const auto outputs = builder.CreateVector(std::vector<std::uint32_t>{0});
  builder.Finish(
      fb::CreateModel(builder, engine::kArithmeticVersion, tensor_list, 0, inputs, outputs, 0));
  return ModelBytes(builder, (tensors.size() - 1) * 64 + 1).bytes;
}

// Names of 1000 bytes that differ in the last ones, the last two not at all.
Bytes long_names() {
  constexpr std::uint32_t kNames = 20000;
  Builder builder;
  Offsets<fb::Tensor> tensors;
  Offsets<fb::Input> inputs;
  for (std::uint32_t i = 0; i < kNames; ++i) {
    const std::string end = std::to_string(std::min(i, kNames - 2) + 100000);
    tensors.push_back(f32(builder, std::string(994, 'x') + end, {-1}));
    inputs.push_back(fb::CreateInput(builder, i));
  }
  return finish(builder, tensors, {}, inputs, {0});
}

// Lines of metadata whose keys are as long, the last one twice.
Bytes long_keys() {
  Builder builder;
  Offsets<octet_flatbuffers::String> lines;
  constexpr std::uint32_t kLines = 20000;
  for (std::uint32_t i = 0; i < kLines; ++i) {
    lines.push_back(builder.CreateString(std::string(994, 'k') +
                                         std::to_string(std::min(i, kLines - 2) + 100000) + "="));
  }
  return finish(builder, {f32(builder, "x", {-1})}, {}, {fb::CreateInput(builder, 0)}, {0}, lines);
}

// One output, with the longest name, as often as the limit allows; each needs 4 KiB of the arena.
Bytes many_outputs() {
  Builder builder;
  return finish(builder, {f32(builder, std::string(1024, 'x'), {-1, 1100})}, {},
                {fb::CreateInput(builder, 0)}, std::vector<std::uint32_t>(kMany, 0));
}

// So many clips of one input that are all outputs: their buffers live until the end, and the last
// does not fit into the arena.
Bytes many_buffers(std::uint32_t count, std::int32_t elements) {
  Builder builder;
  const auto shape = builder.CreateVector(std::vector<std::int32_t>{-1, elements});
  Offsets<fb::Tensor> tensors;
  Offsets<fb::Node> nodes;
  std::vector<std::uint32_t> outputs;
  const auto inputs = builder.CreateVector(std::vector<std::uint32_t>{0});
  for (std::uint32_t i = 0; i <= count; ++i) {
    const auto name = builder.CreateString(std::to_string(i));
    tensors.push_back(fb::CreateTensor(builder, name, fb::DType::f32, shape));
    if (i == 0) continue;
    fb::NodeBuilder node(builder);
    node.add_op(fb::Op::clip);
    node.add_inputs(inputs);
    node.add_output(i);
    nodes.push_back(node.Finish());
    outputs.push_back(i);
  }
  return finish(builder, tensors, nodes, {fb::CreateInput(builder, 0)}, outputs);
}

// Scales of 1 MiB that many linears of one column share, and a scale that is 0 after all others.
Bytes shared_scales() {
  constexpr std::int64_t kChannels = 1 << 18;
  GraphBuilder b;
  const auto x = b.q8("x", DType::u8, {-1, 1}, 1, 0);
  const auto w = b.constant("w", DType::s8, {kChannels, 1}, std::vector<std::int8_t>(kChannels, 1));
  const auto s = b.constant("s", DType::f32, {kChannels}, std::vector<float>(kChannels, 1));
  const auto bias =
      b.constant("b", DType::s32, {kChannels}, std::vector<std::int32_t>(kChannels, 0));
  b.graph.inputs = {{x, false, {}}};
  for (int i = 0; i < 1000; ++i) {
    const auto y = b.q8("y" + std::to_string(i), DType::u8, {-1, kChannels}, 1, 0);
    b.node(OpType::linear, "fc", {x, w, s, bias}, y);
    b.graph.outputs = {y};
  }
  return convert::write_model(b.graph);
}

// Affines that would spread one channel over 64 MiB, twice, each, but for an arena that is too
// small.
Bytes late_arena() {
  GraphBuilder b = spread_affines(8);
  for (std::uint32_t i = 2; i < b.graph.tensors.size(); ++i) b.graph.outputs.push_back(i);
  return convert::write_model(b.graph);
}

}  // namespace

std::vector<CostlyModel> costly_models() {
  return {
      {"zeros", [] { return Bytes(kLarge); }},
      {"a valid model with a byte changed at the end",
       [] {
         GraphBuilder b = shared_weights(1);
         Bytes bytes = convert::write_model(b.graph);
         bytes.back() ^= std::byte{1};
         return bytes;
       }},
      {"one name", large_name},
      {"one shape", large_shape},
      {"one perm", [] { return large_node(true); }},
      {"one node's inputs", [] { return large_node(false); }},
      {"one line of metadata without a value", [] { return with_line(std::string(kLarge, 'x')); }},
      {"one line of metadata with a long key",
       [] { return with_line(std::string(kLarge, 'x') + "=y"); }},
      {"one line of metadata that is not printable",
       [] { return with_line("x=" + std::string(kLarge, 'y') + "\n"); }},
      {"one tensor, 65536 times", [] { return shared_tables(kMany, 0, 1, 1, 0); }},
      {"one tensor, 21845 times", [] { return shared_tables(kMany / 3, 0, 1, 1, 0); }},
      {"one node, 65536 times", [] { return shared_tables(1, kMany, 1, 1, 0); }},
      {"one node, 30000 times", [] { return shared_tables(1, 30000, 1, 1, 0); }},
      {"one input, 65536 times", [] { return shared_tables(1, 0, kMany, 1, 0); }},
      {"one line of metadata, 65536 times", [] { return shared_tables(1, 0, 1, 1, kMany); }},
      {"one line of metadata, 60000 times", [] { return shared_tables(1, 0, 1, 1, 60000); }},
      {"one of each, 16384 times", [] { return shared_tables(16384, 16384, 16384, 16384, 16384); }},
      {"65536 tensors that share a name of 1000 bytes",
       [] { return shared_names(kMany, 1000).bytes; }},
      {"4000 tensors that share a name of 1000 bytes",
       [] { return shared_names(4000, 1000).bytes; }},
      {"65536 nodes that share 2^18 inputs", shared_inputs},
      {"21845 constants of a byte", tiny_constants},
      {"20000 inputs with names of 1000 bytes", long_names},
      {"20000 keys of 1000 bytes", long_keys},
      {"65536 times an output with a name of 1024 bytes", many_outputs},
      {"20000 buffers that live until the end", [] { return many_buffers(20000, 3500); }},
      {"4000 buffers that live until the end", [] { return many_buffers(4000, 17500); }},
      {"1 MiB of weights that 1000 nodes share",
       [] { return convert::write_model(shared_weights(1000).graph); }},
      {"1 MiB of scales that 1000 nodes share", shared_scales},
      {"affines that spread, and an arena that is too small", late_arena},
  };
}

}  // namespace octet::test
