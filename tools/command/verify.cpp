// SPDX-License-Identifier: Apache-2.0
// octet verify: shows that every kernel table, thread count and batch split gives the same bytes.

#include "engine/errors.h"
#include "tools/command/command.h"
#include "tools/command/network.h"
#include "tools/command/print.h"
#include "tools/command/progress.h"
#include "tools/command/synthetic.h"
#include "tools/command/verification.h"

namespace octet::command {
namespace {

constexpr std::size_t kSamples = 256;

Samples load_samples(const VerifyOptions& options, const Model& model) {
  Samples samples;
  if (options.data.empty()) {
    samples.count = options.limit != 0 ? options.limit : kSamples;
    samples.inputs = synthetic_inputs(model, samples.count);
    return samples;
  }
  data::DatasetRequest request;
  request.inputs = model.inputs();
  if (options.limit != 0) request.limit = options.limit;
  const auto dataset = data::load_dataset(options.data, request);
  samples.count = dataset.samples();
  for (std::size_t i = 0; i < model.inputs(); ++i) {
    const TensorInfo info = model.input(i);
    check_feed(dataset.inputs[i], dataset.paths[i], info, options.model);
    std::vector<std::byte> buffer;
    const Input bytes = feed(dataset.inputs[i], 0, samples.count, info,
                             pixel_meaning(info, options.model, std::nullopt), buffer);
    const auto* begin = static_cast<const std::byte*>(bytes.data);
    samples.inputs.emplace_back(begin, begin + bytes.bytes);
  }
  return samples;
}

Verification verify_all(const VerifyOptions& options, const Samples& samples) {
  Progress progress("verifying", 1000);
  return verify_model(options.model, samples, [&](std::size_t done, std::size_t total) {
    progress.update(done * 1000 / total);
  });
}

}  // namespace

void run_verify(const VerifyOptions& options) {
  const Samples samples = load_samples(options, Model::load(options.model));
  const Verification result = verify_all(options, samples);
  TextTable table("lrlll");
  table.row({"table", "threads", "split", "kernels", "sha256"});
  for (const Variant& variant : result.variants) {
    table.row({variant.table, std::to_string(variant.threads), variant.split, variant.kernels,
               variant.sha256});
  }
  table.print();
  if (!result.difference.empty()) {
    engine::fail(Error::Code::cpu, options.model, ": ", result.difference,
                 "; this is a bug of octet, please report it with the output of octet cpu");
  }
  std::printf("%s of %s\n", count(result.variants.size(), "variant").c_str(),
              count(samples.count, "sample").c_str());
  std::printf("all equal: %s\n", result.variants[0].sha256.c_str());
}

}  // namespace octet::command
