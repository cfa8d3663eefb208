// SPDX-License-Identifier: Apache-2.0
// Bytes -> Graph: the header, the checksum, FlatBuffers' verifier, then every field. A file may be
// hostile: no size is used before it is checked, and the memory that its graph takes has a bound.
#include "engine/model_file.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "engine/checksum.h"
#include "engine/errors.h"
#include "engine/metadata.h"

namespace octet::engine {
namespace {

using Code = Error::Code;

static_assert(std::endian::native == std::endian::little, "model files are read in place");

// 16 hexadecimal digits.
std::string hex(std::uint64_t value) {
  std::string text(16, '0');
  for (std::size_t i = 16; i > 0; value >>= 4) text[--i] = "0123456789abcdef"[value & 15];
  return text;
}

FileHeader read_header(std::span<const std::byte> bytes, const std::string& name,
                       const Limits& limits) {
  if (bytes.size() > limits.file_bytes) {
    fail(Code::limit, name, ": has ", bytes.size(), " bytes, the limit file_bytes is ",
         limits.file_bytes);
  }
  FileHeader header{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), sizeof header)),
                    std::as_writable_bytes(std::span(&header, 1)).begin());
  if (header.magic != kMagic) {
    fail(Code::format, name, ": is no octet model: it does not begin with octet's eight bytes",
         "; make one with 'octet convert'");
  }
  if (bytes.size() < sizeof header) {
    fail(Code::format, name, ": is cut short: has ", bytes.size(), " bytes, the header alone has ",
         sizeof header);
  }
  if (header.container_version != kContainerVersion) {
    fail(Code::unsupported, name, ": has layout version ", header.container_version,
         ", this octet reads version ", kContainerVersion, "; update octet or convert again");
  }
  if (header.reader_version == 0) fail(Code::format, name, ": has reader version 0");
  if (header.reader_version > kReaderVersion) {
    fail(Code::unsupported, name, ": needs reader version ", header.reader_version,
         ", this octet has version ", kReaderVersion, "; update octet");
  }
  // Each is at most the file's size before they are added, so no sum wraps.
  const std::uint64_t most = bytes.size();
  const bool fits = header.metadata_bytes <= most && header.data_bytes <= most &&
                    data_offset(header.metadata_bytes) + header.data_bytes <= most;
  if (!fits) {
    fail(Code::format, name, ": is cut short: has ", most, " bytes, its header announces ",
         header.metadata_bytes, " of metadata and ", header.data_bytes, " of data");
  }
  if (data_offset(header.metadata_bytes) + header.data_bytes != most) {
    fail(Code::format, name, ": has ", most, " bytes, its header announces ",
         data_offset(header.metadata_bytes) + header.data_bytes, "; something was appended");
  }
  if (header.metadata_bytes > kMaxMetadataBytes) {
    fail(Code::limit, name, ": has ", header.metadata_bytes, " bytes of metadata, at most ",
         kMaxMetadataBytes, " can be read");
  }
  return header;
}

// Memory that a graph may take for each tensor of the limit, or of the default one, beside as much
// as its metadata has: many tables may point to one string or vector, and a small table becomes a
// larger struct.
constexpr std::uint64_t kGraphBytesPerTensor = 64;

class MetadataReader {
 public:
  MetadataReader(const std::string& name, std::span<const std::byte> metadata,
                 std::span<const std::byte> data, const Limits& limits)
      : name_(name), data_(data), limits_(limits) {
    tensors_ = std::max(limits.tensors, Limits{}.tensors);
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    allowed_ = tensors_ > (kMost - metadata.size()) / kGraphBytesPerTensor
                   ? kMost
                   : metadata.size() + tensors_ * kGraphBytesPerTensor;
    left_ = allowed_;
  }

  Graph read(const fb::Model& model) {
    Graph graph;
    read_all(graph.tensors, "tensors", model.tensors(), &MetadataReader::read_tensor);
    read_all(graph.nodes, "nodes", model.nodes(), &MetadataReader::read_node);
    read_all(graph.inputs, "inputs", model.inputs(), &MetadataReader::read_input);
    check::check_count(name_, "outputs", model.outputs()->size(), limits_);
    graph.outputs = copy<std::uint32_t>(*model.outputs());
    read_all(graph.metadata, "metadata entries", model.metadata(), &MetadataReader::read_property);
    if (data_end_ != data_.size()) {
      fail_format("has ", data_.size(), " bytes of data, its constants need ", data_end_);
    }
    return graph;
  }

 private:
  template <class... Parts>
  [[noreturn, gnu::always_inline]] void fail_format(const Parts&... parts) const {
    fail(Code::format, name_, ": ", parts...);
  }

  template <class Out, class In>
  void read_all(std::vector<Out>& out, const char* what,
                const octet_flatbuffers::Vector<octet_flatbuffers::Offset<In>>* in,
                Out (MetadataReader::*read_one)(std::uint32_t, const In&)) {
    const std::uint32_t n = in == nullptr ? 0 : in->size();
    check::check_count(name_, what, n, limits_);
    spend(n * sizeof(Out));
    out.reserve(n);
    for (std::uint32_t i = 0; i < n; ++i) out.push_back((this->*read_one)(i, *in->Get(i)));
  }

  void spend(std::uint64_t bytes) {
    if (bytes > left_) {
      fail(Code::limit, name_, ": its graph takes more than ", allowed_,
           " bytes of memory: as many as its metadata has, and ", kGraphBytesPerTensor,
           " for each of ", tensors_, " tensors");
    }
    left_ -= bytes;
  }

  template <class Out, class Vector>
  std::vector<Out> copy(const Vector& vector) {
    spend(std::uint64_t{vector.size()} * sizeof(Out));
    return std::vector<Out>(vector.begin(), vector.end());
  }

  // Of a shape or a perm, before it is copied.
  void need_rank(const std::string& label, const char* what, std::uint32_t rank) const {
    if (rank > kMaxRank) {
      fail_format(label, ": its ", what, " has ", rank, " entries, at most ", kMaxRank,
                  " are allowed");
    }
  }

  std::string read_name(const octet_flatbuffers::String* in, const std::string& what) {
    if (in == nullptr) return {};
    check::check_name(name_, what, {in->c_str(), in->size()});
    spend(in->size());
    return in->str();
  }

  Tensor read_tensor(std::uint32_t index, const fb::Tensor& in) {
    Tensor tensor;
    tensor.name = read_name(in.name(), message("tensor ", index));
    const std::string label = check::label("tensor", index, tensor.name);
    tensor.dtype = static_cast<DType>(in.dtype());
    check::check_dtype(name_, label, tensor.dtype);
    need_rank(label, "shape", in.shape()->size());
    tensor.shape = copy<std::int64_t>(*in.shape());
    tensor.scale = in.scale();
    tensor.zero_point = in.zero_point();
    tensor.is_constant = in.is_constant();
    if (tensor.is_constant) tensor.data = next_data(tensor, label);
    return tensor;
  }

  // The data of constants follow each other, aligned.
  std::span<const std::byte> next_data(const Tensor& tensor, const std::string& label) {
    const std::uint64_t bytes = check::constant_bytes(name_, label, tensor);
    const std::uint64_t start = align_data(data_end_);
    if (start > data_.size() || bytes > data_.size() - start) {
      fail_format(label, ": its ", bytes, " bytes of data begin at ", start, ", the file has ",
                  data_.size(), " bytes of data");
    }
    data_end_ = start + bytes;
    return data_.subspan(start, bytes);
  }

  Node read_node(std::uint32_t index, const fb::Node& in) {
    Node node;
    node.name = read_name(in.name(), message("node ", index));
    node.op = static_cast<OpType>(in.op());
    node.inputs = copy<std::uint32_t>(*in.inputs());
    node.output = in.output();
    node.clip_min = in.clip_min();
    node.clip_max = in.clip_max();
    node.axis = in.axis();
    node.start = in.start();
    node.inner = in.inner();
    if (in.perm() != nullptr) {
      need_rank(check::label("node", index, node.name), "perm", in.perm()->size());
      node.perm = copy<std::uint32_t>(*in.perm());
    }
    node.group = in.group();
    return node;
  }

  std::pair<std::string, std::string> read_property(std::uint32_t index,
                                                    const octet_flatbuffers::String& in) {
    const std::string_view whole(in.c_str(), in.size());
    const std::size_t end = whole.find('=');
    if (end == std::string_view::npos) fail_format("metadata ", index, ": is not KEY=VALUE");
    spend(whole.size());
    return {std::string(whole.substr(0, end)), std::string(whole.substr(end + 1))};
  }

  GraphInput read_input(std::uint32_t, const fb::Input& in) {
    GraphInput input;
    input.tensor = in.tensor();
    if (in.normalization() != nullptr) {
      input.has_normalization = true;
      input.normalization = {in.normalization()->mean(), in.normalization()->std()};
    }
    return input;
  }

  const std::string& name_;
  std::span<const std::byte> data_;
  const Limits& limits_;
  std::uint64_t tensors_;       // the limit or, if that is more, its default
  std::uint64_t allowed_;       // bytes of memory for the graph
  std::uint64_t left_;          // of them
  std::uint64_t data_end_ = 0;  // of the constants read so far
};

}  // namespace

std::uint64_t file_checksum(const FileHeader& header, std::span<const std::byte> metadata,
                            std::span<const std::byte> rest) noexcept {
  const auto bytes = std::as_bytes(std::span(&header, 1)).first(offsetof(FileHeader, checksum));
  return xxh64(rest, xxh64(metadata, xxh64(bytes, 0)));
}

ParsedModel parse_model(std::span<const std::byte> bytes, const std::string& name,
                        const Limits& limits, Owner owner) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 16 != 0) {
    fail(Code::argument, name, ": its bytes must be aligned to 16");
  }
  const FileHeader header = read_header(bytes, name, limits);

  std::span<const std::byte> metadata = bytes.subspan(sizeof header, header.metadata_bytes);
  // A copy, so that a mapped file that changes cannot change what the verifier has seen.
  std::vector<std::byte> copy;
  if (owner == Owner::others) {
    copy.assign(metadata.begin(), metadata.end());
    metadata = copy;
  }
  const std::uint64_t sum =
      file_checksum(header, metadata, bytes.subspan(sizeof header + metadata.size()));
  if (sum != header.checksum) {
    fail(Code::format, name, ": is damaged: its checksum is ", hex(header.checksum),
         ", its contents give ", hex(sum), "; copy or convert it again");
  }

  // A model nests two tables; a table that is seen twice or more costs 4 bytes each time.
  octet_flatbuffers::Verifier::Options options;
  options.max_depth = 3;
  options.max_tables = static_cast<std::uint32_t>(metadata.size() / 4);
  const auto* start = reinterpret_cast<const std::uint8_t*>(metadata.data());
  octet_flatbuffers::Verifier verifier(start, metadata.size(), options);
  if (!fb::VerifyModelBuffer(verifier)) {
    fail(Code::format, name, ": its ", metadata.size(),
         " bytes of metadata are no valid FlatBuffer of octet's schema; convert it again");
  }
  const fb::Model& model = *fb::GetModel(start);
  if (model.arithmetic_version() != kArithmeticVersion) {
    fail(Code::unsupported, name, ": was made for arithmetic version ", model.arithmetic_version(),
         ", this octet computes version ", kArithmeticVersion, "; convert it again");
  }

  MetadataReader reader(name, metadata, bytes.last(header.data_bytes), limits);
  ParsedModel parsed{reader.read(model), model.arithmetic_version(), header.reader_version};
  check_graph(parsed.graph, name, limits);
  return parsed;
}

}  // namespace octet::engine
