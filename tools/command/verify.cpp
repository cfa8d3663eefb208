// SPDX-License-Identifier: Apache-2.0
// octet verify: shows that every kernel table, thread count and batch split gives the same bytes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <thread>

#include "engine/errors.h"
#include "engine/inspect.h"
#include "kernels/dispatch.h"
#include "tools/command/command.h"
#include "tools/command/network.h"
#include "tools/command/options.h"
#include "tools/command/print.h"
#include "tools/command/progress.h"
#include "tools/command/synthetic.h"
#include "tools/data/sha256.h"

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

// The samples as the model's inputs take them.
struct Samples {
  std::size_t count = 0;
  std::vector<std::vector<std::byte>> inputs;
};

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

struct Variant {
  const kernels::Table* table;
  std::size_t threads;
  const Split* split;
  std::string text() const {
    return engine::message(table->name, ", ", count(threads, "thread"), ", split ", split->name);
  }
};

using Outputs = std::vector<std::vector<std::byte>>;

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

// 1 to 4 show every way to share few rows out; as many as there are CPUs is what users take.
std::vector<std::size_t> thread_counts() {
  std::vector<std::size_t> counts{1, 2, 3, 4};
  const std::size_t cpus = std::thread::hardware_concurrency();
  if (cpus > counts.back()) counts.push_back(cpus);
  return counts;
}

void run_split(Session& session, const Model& model, const Samples& samples, const Variant& variant,
               const std::string& path, Outputs& results) {
  std::vector<Input> ins(model.inputs());
  std::vector<Output> outs(model.outputs());
  std::size_t run = 0;
  for (std::size_t begin = 0; begin < samples.count; ++run) {
    const std::size_t rows = std::min(variant.split->rows(run), samples.count - begin);
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
      engine::fail(static_cast<Error::Code>(status), path, ": a run of ", rows, " samples failed (",
                   variant.text(), "): ", octet_status_name(status));
    }
    begin += rows;
  }
}

std::string hash(const Outputs& outputs) {
  data::Sha256 sha;
  for (const auto& bytes : outputs) sha.update(bytes.data(), bytes.size());
  return sha.hex();
}

std::string element_text(const TensorInfo& info, const std::byte* bytes) {
  switch (info.dtype) {
    case OCTET_F32: {
      float value = 0;
      std::memcpy(&value, bytes, sizeof value);
      return format("%.9g (%a)", static_cast<double>(value), static_cast<double>(value));
    }
    case OCTET_U8:
      return std::to_string(std::to_integer<int>(*bytes));
    case OCTET_S8:
      return std::to_string(static_cast<int>(static_cast<std::int8_t>(*bytes)));
    case OCTET_S32:
      break;
  }
  std::int32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return std::to_string(value);
}

// The first place where got parts from expected; the two must differ.
std::string describe_difference(const Model& model, const Outputs& expected,
                                const Variant& reference, const Outputs& got,
                                const Variant& variant) {
  std::size_t i = 0;
  while (expected[i] == got[i]) ++i;
  const auto place = std::mismatch(expected[i].begin(), expected[i].end(), got[i].begin()).first;
  const TensorInfo info = model.output(i);
  const std::size_t element = info.dtype == OCTET_U8 || info.dtype == OCTET_S8 ? 1 : 4;
  const auto offset = static_cast<std::size_t>(place - expected[i].begin()) / element * element;
  return engine::message("output '", info.name, "', sample ", offset / info.sample_bytes,
                         ", element ", offset % info.sample_bytes / element, ": ",
                         element_text(info, expected[i].data() + offset), " with ",
                         reference.text(), ", but ", element_text(info, got[i].data() + offset),
                         " with ", variant.text());
}

// The distinct kernels of a model, in the order they run.
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

void run_verify(const Options& options) {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  std::vector<const kernels::Table*> tables;
  // The reference table comes first: what the others are measured by.
  for (const auto* table : kernels::tables()) {
    if (kernels::runs_here(*table, cpu)) tables.insert(tables.begin(), table);
  }
  const auto threads = thread_counts();
  const std::size_t variants = tables.size() * threads.size() * std::size(kSplits);

  std::optional<Samples> samples;
  std::optional<Variant> reference;
  Outputs expected;
  std::string expected_hash;
  std::string difference;  // the first
  TextTable report("lrllll");
  report.row({"table", "threads", "split", "kernels", "sha256"});
  Progress progress("verifying", variants);
  std::size_t done = 0;
  for (const auto* table : tables) {
    LoadOptions load{};
    load.isa = table->name;
    const Model model = Model::load(options.model, load);
    if (!samples) samples = load_samples(options, model);
    const std::string kernel_names = kernels_text(model);
    for (const std::size_t count : threads) {
      const auto executor = make_executor(count);
      Session session = executor ? Session(model, *executor) : Session(model);
      for (const Split& split : kSplits) {
        const Variant variant{table, count, &split};
        Outputs results;
        for (std::size_t i = 0; i < model.outputs(); ++i) {
          // A byte that no run writes must not pass for equal.
          results.emplace_back(samples->count * model.output(i).sample_bytes,
                               reference ? std::byte{0xa5} : std::byte{0x5a});
        }
        run_split(session, model, *samples, variant, options.model, results);
        const std::string digest = hash(results);
        report.row({table->name, std::to_string(count), split.name, kernel_names, digest});
        if (!reference) {
          reference = variant;
          expected = std::move(results);
          expected_hash = digest;
        } else if (digest != expected_hash && difference.empty()) {
          difference = describe_difference(model, expected, *reference, results, variant);
        }
        progress.update(++done);
      }
    }
  }
  report.print();
  if (!difference.empty()) {
    engine::fail(Error::Code::cpu, options.model, ": ", difference,
                 "; this is a bug of octet, please report it with the output of octet cpu");
  }
  std::printf("%s of %s\n", count(variants, "variant").c_str(),
              count(samples->count, "sample").c_str());
  std::printf("all equal: %s\n", expected_hash.c_str());
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
