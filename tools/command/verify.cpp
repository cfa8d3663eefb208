// SPDX-License-Identifier: Apache-2.0
// octet verify: shows that every kernel table, thread count and batch split gives the same bytes.
#include <CLI/CLI.hpp>
#include <memory>

#include "engine/errors.h"
#include "tools/command/command.h"
#include "tools/command/network.h"
#include "tools/command/options.h"
#include "tools/command/print.h"
#include "tools/command/progress.h"
#include "tools/command/synthetic.h"
#include "tools/command/verification.h"

namespace octet::command {
namespace {

constexpr const char* kFooter =
    R"(Runs the same samples on every kernel table that this CPU supports, with 1 to 4 threads (and as many
as there are CPUs), and with the batch whole, one by one, in sevens, and in growing pieces. The hash
is the SHA-256 of all output bytes, output after output. The last line says `all equal: HASH`, or
the exit status is 1 and a message tells the first place where two variants part.

Inputs come from SplitMix64, seeded with the input's index, its 64-bit numbers taken little-endian:
bytes are 8-bit codes; for float32 inputs each 16 bits h are (h - 16384) / 32768. So the hash of a
model is the same on every machine.

Examples:
  octet verify mnist_mlp.octet
  octet verify mnist_mlp.octet --data mnist --limit 1000)";

constexpr std::size_t kSamples = 256;

struct Options {
  std::string model;
  std::string data;
  std::size_t limit = 0;
};

Samples load_samples(const Options& options, const Model& model) {
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

Verification verify_all(const Options& options, const Samples& samples) {
  Progress progress("verifying", 1000);
  return verify_model(options.model, samples, [&](std::size_t done, std::size_t total) {
    progress.update(done * 1000 / total);
  });
}

void run_verify(const Options& options) {
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

}  // namespace

void add_verify(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("verify", "Show that tables, threads and batch splits give equal bytes");
  sub->footer(kFooter);
  const auto options = std::make_shared<Options>();
  sub->add_option("model", options->model, "The model")->required()->type_name("MODEL.octet");
  sub->add_option("--data", options->data, "Samples to run instead of generated ones")
      ->type_name("DATA");
  add_count(*sub, "--limit", options->limit,
            "Run only the first N samples (default: 256 generated ones, or all of DATA)");
  sub->callback([options] { run_verify(*options); });
}

}  // namespace octet::command
