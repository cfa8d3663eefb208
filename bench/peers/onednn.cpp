// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "bench/peers/peer.h"

namespace octet::bench {

using dnnl::memory;
using Type = memory::data_type;
using Format = memory::format_tag;

struct OneDnn::Primitive {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul matmul;
  std::unordered_map<int, memory> arguments;
};

OneDnn::OneDnn(const GemmData& data, kernels::Store output)
    : primitive_(std::make_unique<Primitive>()) {
  const dnnl::engine& engine = primitive_->engine;
  dnnl::stream& stream = primitive_->stream;
  const auto m = static_cast<memory::dim>(data.m);
  const auto n = static_cast<memory::dim>(data.n);
  const auto k = static_cast<memory::dim>(data.k);
  const bool sums = output == kernels::Store::s32;
  const memory::desc a({m, k}, Type::u8, Format::ab);
  const memory::desc any({k, n}, Type::s8, Format::any);
  const memory::desc bias({1, n}, Type::s32, Format::ab);
  const memory::desc c({m, n}, sums ? Type::s32 : Type::u8, Format::ab);
  dnnl::primitive_attr attributes;
  if (!sums) attributes.set_output_scales(0, {data.mult});
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, any, bias, c), attributes,
                                                 engine);
  primitive_->matmul = dnnl::matmul(description);

  const auto copy = [&](const memory::desc& desc, const void* from) {
    memory to(desc, engine);
    std::memcpy(to.get_data_handle(), from, desc.get_size());
    return to;
  };
  memory plain = copy(memory::desc({k, n}, Type::s8, Format::ba), data.w.data());
  memory weights(description.weights_desc(), engine);
  dnnl::reorder(plain, weights).execute(stream, plain, weights);
  stream.wait();
  primitive_->arguments = {{DNNL_ARG_SRC, copy(a, data.a.data())},
                           {DNNL_ARG_WEIGHTS, weights},
                           {DNNL_ARG_BIAS, copy(bias, data.bias.data())},
                           {DNNL_ARG_DST, memory(c, engine)}};
}

OneDnn::~OneDnn() = default;

void OneDnn::run(std::size_t calls) {
  for (std::size_t i = 0; i < calls; ++i) {
    primitive_->matmul.execute(primitive_->stream, primitive_->arguments);
  }
  primitive_->stream.wait();
}

const void* OneDnn::output() const {
  return primitive_->arguments.at(DNNL_ARG_DST).get_data_handle();
}

}  // namespace octet::bench
