// SPDX-License-Identifier: Apache-2.0
// The other libraries on octet's work: each makes GemmData's layer once, weights prepared, and
// hands back what runs it on one thread.
#pragma once

#include <memory>
#include <string>

#include "tools/measure/gemm.h"
#include "tools/measure/interleave.h"

namespace octet::bench {

class Peer {
 public:
  virtual ~Peer() = default;
  virtual void run(std::size_t calls) = 0;
};

using measure::GemmData;

// int8 matmul u8 x s8, weights reordered to the format that oneDNN asks for.
class OneDnn : public Peer {
 public:
  // output as Gemm's: 8-bit codes or int32 sums.
  OneDnn(const GemmData& data, kernels::Store output);
  ~OneDnn() override;
  void run(std::size_t calls) override;
  const void* output() const;

 private:
  struct Primitive;
  std::unique_ptr<Primitive> primitive_;
};

// The qs8 fully connected operator; codes are shifted by 128.
std::unique_ptr<Peer> make_xnnpack(const GemmData& data);

// XNNPACK, which has no option for it, takes this machine for one without AVX-512. Before the
// first make_xnnpack.
void cap_xnnpack_to_avx2();

// The same layer in fp32 without bias and ReLU: sgemm with weights [k][n].
std::unique_ptr<Peer> make_sgemm(const GemmData& data);

}  // namespace octet::bench
