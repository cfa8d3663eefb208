// SPDX-License-Identifier: Apache-2.0
#include <cblas.h>

#include "bench/peers/peer.h"

namespace octet::bench {
namespace {

class Sgemm : public Peer {
 public:
  explicit Sgemm(const GemmData& data)
      : m_(static_cast<int>(data.m)),
        n_(static_cast<int>(data.n)),
        k_(static_cast<int>(data.k)),
        a_(data.a.begin(), data.a.end()),
        w_(data.w.size()),
        c_(data.m * data.n) {
    for (std::size_t j = 0; j < data.n; ++j) {
      for (std::size_t i = 0; i < data.k; ++i) w_[i * data.n + j] = data.w[j * data.k + i];
    }
    openblas_set_num_threads(1);
  }

  void run(std::size_t calls) override {
    for (std::size_t i = 0; i < calls; ++i) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m_, n_, k_, 1, a_.data(), k_,
                  w_.data(), n_, 0, c_.data(), n_);
    }
  }

 private:
  int m_, n_, k_;
  std::vector<float> a_, w_, c_;
};

}  // namespace

std::unique_ptr<Peer> make_sgemm(const GemmData& data) {
  return std::make_unique<Sgemm>(data);
}

}  // namespace octet::bench
