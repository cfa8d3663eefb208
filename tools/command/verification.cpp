// SPDX-License-Identifier: Apache-2.0
// The loop over tables, threads and splits, and the comparison.
#include "tools/command/verification.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>

#include "engine/errors.h"
#include "engine/inspect.h"
#include "kernels/dispatch.h"
#include "tools/command/network.h"
#include "tools/command/print.h"
#include "tools/data/sha256.h"

namespace octet::command {
namespace {

using Outputs = std::vector<std::vector<std::byte>>;

// A way to cut a batch into runs.
struct Split {
  const char* name;
  std::size_t (*rows)(std::size_t run);  // of the run-th run, before the end cuts it
};
constexpr Split kSplits[] = {
    {"whole", [](std::size_t) { return ~std::size_t{0}; }},
    {"1+1+...", [](std::size_t) { return std::size_t{1}; }},
    {"7+7+...", [](std::size_t) { return std::size_t{7}; }},
    {"1+2+3+...", [](std::size_t run) { return run + 1; }},
};

// 1 to 4 show every way to share few rows out; as many as there are CPUs is what users take.
std::vector<std::size_t> thread_counts() {
  std::vector<std::size_t> counts{1, 2, 3, 4};
  const std::size_t cpus = std::thread::hardware_concurrency();
  if (cpus > counts.back()) counts.push_back(cpus);
  return counts;
}

// Tables that run here, the reference first: what the others are measured by.
std::vector<const kernels::Table*> runnable_tables() {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  std::vector<const kernels::Table*> tables;
  for (const auto* table : kernels::tables()) {
    if (kernels::runs_here(*table, cpu)) tables.insert(tables.begin(), table);
  }
  return tables;
}

std::string kernels_text(const Model& model) {
  std::vector<std::string> names;
  std::string text;
  for (const auto& step : engine::inspect(model.handle()).steps) {
    if (std::find(names.begin(), names.end(), step.kernel) != names.end()) continue;
    names.push_back(step.kernel);
    text += (text.empty() ? "" : ", ") + step.kernel;
  }
  return text;
}

std::string variant_text(const Variant& variant) {
  return engine::message(variant.table, ", ", count(variant.threads, "thread"), ", split ",
                         variant.split);
}

void run_split(Session& session, const Model& model, const Samples& samples, const Split& split,
               const std::string& path, Outputs& results) {
  std::vector<Input> ins(model.inputs());
  std::vector<Output> outs(model.outputs());
  std::size_t begin = 0;
  for (std::size_t run = 0; begin < samples.count; ++run) {
    const std::size_t rows = std::min(split.rows(run), samples.count - begin);
    for (std::size_t i = 0; i < ins.size(); ++i) {
      const std::size_t bytes = model.input(i).sample_bytes;
      ins[i] = {samples.inputs[i].data() + begin * bytes, rows * bytes};
    }
    for (std::size_t i = 0; i < outs.size(); ++i) {
      const std::size_t bytes = model.output(i).sample_bytes;
      outs[i] = {results[i].data() + begin * bytes, rows * bytes};
    }
    const octet_status status = session.run(ins, outs, rows);
    if (status != OCTET_OK) {
      engine::fail(static_cast<Error::Code>(status), path, ": a run of ", rows,
                   " samples failed on ", model.isa(), ": ", octet_status_name(status));
    }
    begin += rows;
  }
}

std::string hash(const Outputs& outputs) {
  data::Sha256 sha;
  for (const auto& bytes : outputs) sha.update(bytes.data(), bytes.size());
  return sha.hex();
}

std::size_t element_bytes(const TensorInfo& info) {
  return info.dtype == OCTET_U8 || info.dtype == OCTET_S8 ? 1 : 4;
}

std::string element_text(const TensorInfo& info, const std::byte* bytes) {
  if (info.dtype == OCTET_U8) return std::to_string(std::to_integer<int>(*bytes));
  if (info.dtype == OCTET_S8) return std::to_string(static_cast<std::int8_t>(*bytes));
  if (info.dtype == OCTET_F32) {
    float value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return format("%.9g (%a)", static_cast<double>(value), static_cast<double>(value));
  }
  std::int32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return std::to_string(value);
}

// Runs and compares one variant after the other.
class Verifier {
 public:
  Verifier(const std::string& path, const Samples& samples) : path_(path), samples_(samples) {}

  void add(Session& session, const Model& model, const Split& split, Variant variant) {
    Outputs results;
    std::vector<TensorInfo> infos;
    for (std::size_t i = 0; i < model.outputs(); ++i) {
      infos.push_back(model.output(i));
      // A byte that no run writes must not pass for equal.
      const bool first = result_.variants.empty();
      results.emplace_back(samples_.count * infos[i].sample_bytes,
                           first ? std::byte{0x5a} : std::byte{0xa5});
    }
    run_split(session, model, samples_, split, path_, results);
    variant.sha256 = hash(results);
    if (result_.variants.empty()) {
      expected_ = std::move(results);
    } else if (result_.difference.empty() && results != expected_) {
      result_.difference =
          describe_difference(infos, expected_, result_.variants[0], results, variant);
    }
    result_.variants.push_back(std::move(variant));
  }

  Verification result() && { return std::move(result_); }

 private:
  const std::string& path_;
  const Samples& samples_;
  Outputs expected_;
  Verification result_;
};

}  // namespace

std::string describe_difference(std::span<const TensorInfo> outputs,
                                std::span<const std::vector<std::byte>> expected,
                                const Variant& reference,
                                std::span<const std::vector<std::byte>> got,
                                const Variant& variant) {
  std::size_t i = 0;
  while (expected[i] == got[i]) ++i;
  const auto place = std::mismatch(expected[i].begin(), expected[i].end(), got[i].begin()).first;
  const TensorInfo& info = outputs[i];
  const std::size_t element = element_bytes(info);
  const auto offset = static_cast<std::size_t>(place - expected[i].begin()) / element * element;
  return engine::message(
      "output '", info.name, "', sample ", offset / info.sample_bytes, ", element ",
      offset % info.sample_bytes / element, ": ", element_text(info, expected[i].data() + offset),
      " with ", variant_text(reference), ", but ", element_text(info, got[i].data() + offset),
      " with ", variant_text(variant));
}

Verification verify_model(const std::string& path, const Samples& samples,
                          const std::function<void(std::size_t, std::size_t)>& progress) {
  const auto tables = runnable_tables();
  const auto threads = thread_counts();
  const std::size_t total = tables.size() * threads.size() * std::size(kSplits);
  std::size_t done = 0;
  Verifier verifier(path, samples);
  for (const auto* table : tables) {
    LoadOptions load{};
    load.isa = table->name;
    const Model model = Model::load(path, load);
    const std::string kernel_names = kernels_text(model);
    for (const std::size_t n : threads) {
      const auto executor = make_executor(n);
      Session session = executor ? Session(model, *executor) : Session(model);
      for (const Split& split : kSplits) {
        verifier.add(session, model, split, {model.isa(), n, split.name, kernel_names, ""});
        progress(++done, total);
      }
    }
  }
  return std::move(verifier).result();
}

}  // namespace octet::command
