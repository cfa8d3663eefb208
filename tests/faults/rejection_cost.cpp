// SPDX-License-Identifier: Apache-2.0
// What it costs to refuse a file that was made to cost much: memory at most twice its size and 8
// MiB, which must hold; CPU time, which is shown beside 50 ms for each MiB, one at least.
//   octet_rejection_cost
#include <octet/octet_c.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "tests/faults/allocations.h"
#include "tests/faults/costly_models.h"
#include "tests/tools/temporary_folder.h"

namespace {

using namespace octet::test;
using Bytes = std::vector<std::byte>;

constexpr double kMiB = 1 << 20;
constexpr std::size_t kAllowed = std::size_t{8} << 20;

using Load = std::function<octet_status(octet_model** model, octet_error* error)>;

struct Cost {
  octet_status status = OCTET_OK;
  std::size_t bytes = 0;
  double ms = 0;
  std::string message;
};

// Of this process, however busy the machine is.
double cpu_ms() {
  return 1000 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// The same memory each time; the shortest of three times.
Cost measure(const Load& load) {
  Cost cost;
  for (int round = 0; round < 3; ++round) {
    octet_error error{};
    octet_model* model = nullptr;
    const std::size_t before = allocations::live();
    allocations::reset_peak();
    const double start = cpu_ms();
    cost.status = load(&model, &error);
    const double ms = cpu_ms() - start;
    cost.bytes = allocations::peak() - before;
    octet_model_free(model);
    cost.ms = round == 0 ? ms : std::min(cost.ms, ms);
    cost.message = error.message;
  }
  return cost;
}

// Each way to load, of which all must refuse the file, for the same reason. Whether all stayed
// within the memory that they may take.
bool show(const std::string& name, const Bytes& file, const TemporaryFolder& folder) {
  const std::string path = folder.write("net.octet", std::span(file));
  const octet_load_options copy{nullptr, 1, {}};
  Bytes shifted(file.size() + 65);
  std::byte* odd = shifted.data() + (1 - reinterpret_cast<std::uintptr_t>(shifted.data())) % 64;
  std::memcpy(odd, file.data(), file.size());
  const std::pair<const char*, Load> ways[] = {
      {"mapped", [&](octet_model** m,
                     octet_error* e) { return octet_model_load(path.c_str(), nullptr, m, e); }},
      {"copied", [&](octet_model** m,
                     octet_error* e) { return octet_model_load(path.c_str(), &copy, m, e); }},
      {"parsed", [&](octet_model** m, octet_error* e) {
         return octet_model_parse(odd, file.size(), "net.octet", nullptr, m, e);
       }}};
  const double allowed_ms = 50 * std::max(1.0, static_cast<double>(file.size()) / kMiB);
  std::printf("%s, %.2f MiB\n", name.c_str(), static_cast<double>(file.size()) / kMiB);
  bool good = true;
  for (const auto& [way, load] : ways) {
    const Cost cost = measure(load);
    const std::size_t allowed = 2 * file.size() + kAllowed;
    const bool within = cost.status != OCTET_OK && cost.bytes <= allowed;
    good = good && within;
    std::printf(
        "  %-7s %8.2f of %8.2f MiB, %8.1f of %8.1f ms%s%s  %s: %.80s\n", way,
        static_cast<double>(cost.bytes) / kMiB, static_cast<double>(allowed) / kMiB, cost.ms,
        allowed_ms, within ? "" : "  TOO MUCH", cost.ms > allowed_ms ? "  SLOW" : "",
        octet_status_name(cost.status),
        cost.message.substr(std::min(cost.message.size(), cost.message.find(": "))).c_str());
  }
  return good;
}

}  // namespace

int main() {
  const TemporaryFolder folder;
  bool good = true;
  std::size_t files = 0;
  for (const CostlyModel& model : costly_models()) {
    good = show(model.name, model.make(), folder) && good;
    ++files;
  }
  std::printf("%zu files, each refused in at most twice its size and 8 MiB: %s\n", files,
              good ? "yes" : "NO");
  return good ? 0 : 1;
}
