// SPDX-License-Identifier: Apache-2.0
#include <cpuinfo.h>
#include <xnnpack.h>

#include <stdexcept>

#include "bench/peers/peer.h"

namespace octet::bench {
namespace {

void check(xnn_status status, const char* what) {
  if (status != xnn_status_success) {
    throw std::runtime_error(std::string("XNNPACK: ") + what + ": status " +
                             std::to_string(status));
  }
}

class Xnnpack : public Peer {
 public:
  explicit Xnnpack(const GemmData& data)
      : a_(data.a.size() + XNN_EXTRA_BYTES), c_(data.m * data.n + XNN_EXTRA_BYTES) {
    for (std::size_t i = 0; i < data.a.size(); ++i) {
      a_[i] = static_cast<std::int8_t>(data.a[i] - 128);
    }
    check(xnn_initialize(nullptr), "initialize");
    check(xnn_create_fully_connected_nc_qs8(data.k, data.n, data.k, data.n, -128, 1, data.mult,
                                            data.w.data(), data.bias.data(), -128, 1, -128, 127, 0,
                                            &op_),
          "create");
    check(xnn_setup_fully_connected_nc_qs8(op_, data.m, a_.data(), c_.data(), nullptr), "setup");
  }
  ~Xnnpack() override { xnn_delete_operator(op_); }
  Xnnpack(const Xnnpack&) = delete;
  Xnnpack& operator=(const Xnnpack&) = delete;

  void run(std::size_t calls) override {
    for (std::size_t i = 0; i < calls; ++i) xnn_run_operator(op_, nullptr);
  }

 private:
  std::vector<std::int8_t> a_, c_;
  xnn_operator_t op_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> make_xnnpack(const GemmData& data) {
  return std::make_unique<Xnnpack>(data);
}

void cap_xnnpack_to_avx2() {
#if defined(__x86_64__)
  if (!cpuinfo_initialize()) throw std::runtime_error("cpuinfo: this CPU is not known");
  cpuinfo_isa.avx512f = false;  // which XNNPACK asks for before all its other parts
#endif
}

}  // namespace octet::bench
