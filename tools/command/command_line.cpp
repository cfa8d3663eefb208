// SPDX-License-Identifier: Apache-2.0
// The command line: options, help, exit statuses, and the one place that reports errors. The only
// file of the command that includes CLI11, which takes seconds to compile.
#include <octet/octet.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "tools/command/command.h"
#include "tools/command/help.h"
#include "tools/command/print.h"
#include "tools/command/terminate.h"

namespace octet::command {
namespace {

constexpr int kError = 1;
constexpr int kUsage = 2;
constexpr std::size_t kMaxThreads = 1024;
constexpr std::size_t kMaxBatch = std::size_t{1} << 20;
constexpr std::size_t kMaxGemmSize = 16384;

// "MEAN,STD", both finite, STD > 0; nothing for any other text.
std::optional<Normalization> parse_normalization(const std::string& text) {
  Normalization result;
  const char* end = text.data() + text.size();
  const auto mean = std::from_chars(text.data(), end, result.mean);
  if (mean.ec != std::errc{} || mean.ptr == end || *mean.ptr != ',') return std::nullopt;
  const auto std = std::from_chars(mean.ptr + 1, end, result.std);
  if (std.ec != std::errc{} || std.ptr != end) return std::nullopt;
  if (!std::isfinite(result.mean) || !std::isnormal(result.std) || result.std < 0) {
    return std::nullopt;
  }
  return result;
}

// "M,N,K", each from 1 to kMaxGemmSize; nothing for any other text.
std::optional<GemmShape> parse_gemm_shape(const std::string& text) {
  std::size_t sizes[3] = {};
  const char* at = text.data();
  const char* end = at + text.size();
  for (int i = 0; i < 3; ++i) {
    if (i > 0 && (at == end || *at++ != ',')) return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, sizes[i]);
    if (error != std::errc{} || sizes[i] == 0 || sizes[i] > kMaxGemmSize) return std::nullopt;
    at = next;
  }
  if (at != end) return std::nullopt;
  return GemmShape{sizes[0], sizes[1], sizes[2]};
}

void add_normalize(CLI::App& app, std::optional<Normalization>& normalization,
                   const std::string& help) {
  app.add_option_function<std::string>(
         "--normalize",
         [&normalization](const std::string& text) {
           normalization = parse_normalization(text);
           if (!normalization) {
             throw CLI::ValidationError("--normalize: '" + text +
                                        "' is not MEAN,STD: two numbers, STD above 0");
           }
         },
         help)
      ->type_name("MEAN,STD");
}

// CLI::Range lets NaN through.
void need_number(const char* name, double value) {
  if (std::isnan(value)) throw CLI::ValidationError(std::string(name) + " must be a number");
}

void add_threads(CLI::App& app, std::size_t& threads) {
  app.add_option("--threads", threads, "Threads, the calling one included")
      ->check(CLI::Range(std::size_t{1}, kMaxThreads).description(""))
      ->type_name("N")
      ->capture_default_str();
}

CLI::Option* add_count(CLI::App& app, const std::string& name, std::size_t& number,
                       const std::string& help) {
  return app.add_option(name, number, help)
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40).description(""))
      ->type_name("N");
}

void add_convert(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("convert", "Turn an ONNX network, float or quantized, into an int8 model");
  sub->footer(kConvertHelp);
  const auto options = std::make_shared<ConvertOptions>();
  sub->add_option("model", options->model, "The network")->required()->type_name("MODEL.onnx");
  sub->add_option("-o,--output", options->output, "The model to write")
      ->required()
      ->type_name("MODEL.octet");
  sub->add_option("--calibrate", options->calibrate, "Calibration data, see below")
      ->type_name("DATA");
  add_count(*sub, "--samples", options->samples, "Calibration samples, the first of DATA")
      ->capture_default_str();
  add_normalize(*sub, options->normalization,
                "Pixels were trained as (p / 255 - MEAN) / STD: the model takes uint8");
  sub->add_option("--mode", options->mode, "Activations: quantized by DATA, as they come, or not")
      ->check(CLI::IsMember({"static", "dynamic", "weight-only"}).description(""))
      ->type_name("static|dynamic|weight-only")
      ->capture_default_str();
  sub->add_option("--weight-bits", options->weight_bits, "With --mode weight-only")
      ->check(CLI::IsMember({8, 4}).description(""))
      ->type_name("8|4")
      ->capture_default_str();
  add_count(*sub, "--group-size", options->group_size,
            "With --mode weight-only: inputs that share a scale (default: 32 of 4 bits, else all)");
  sub->add_option("--weights", options->weights, "One scale per output channel or per tensor")
      ->check(CLI::IsMember({"per-channel", "per-tensor"}).description(""))
      ->type_name("per-channel|per-tensor")
      ->capture_default_str();
  sub->add_flag("--strict", options->strict, "Fail if a node would compute in float");
  sub->add_flag("--symmetric", options->symmetric,
                "Activations with zero point in the middle (default: asymmetric)");
  sub->add_flag("--equalize", options->equalize,
                "Rescale neurons between layers, where that raises the SQNR");
  auto* automatic = sub->add_flag("--auto", options->automatic,
                                  "Try every repair, and keep those that raise the SQNR");
  sub->add_option(
         "--max-drop", options->max_drop,
         "With --auto: keep nodes in float until no more than P points of accuracy are lost")
      ->check(CLI::Range(0.0, 100.0).description(""))
      ->type_name("P")
      ->needs(automatic);
  sub->add_option("--keep-float", options->keep_float, "Linear nodes that stay in float")
      ->delimiter(',')
      ->type_name("NODE,...");
  sub->add_option("--calibration", options->calibration, "How a range is taken from the values")
      ->check(CLI::IsMember({"minmax", "percentile", "mse", "entropy", "auto"}).description(""))
      ->type_name("minmax|percentile|mse|entropy|auto")
      ->capture_default_str();
  const auto* percentile =
      sub->add_option("--percentile", options->percentile,
                      "The part of the values that stays inside the range, in (50, 100]")
          ->type_name("P")
          ->capture_default_str();
  sub->callback([options, percentile] {
    if (percentile->count() > 0 && options->calibration != "percentile" &&
        options->calibration != "auto") {
      throw CLI::ValidationError("--percentile needs --calibration percentile or auto");
    }
    if (!(options->percentile > 50 && options->percentile <= 100)) {
      throw CLI::ValidationError("--percentile must be above 50 and at most 100");
    }
    need_number("--max-drop", options->max_drop.value_or(0));
    run_convert(*options);
  });
}

void add_eval(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("eval", "Measure accuracy on a test set, beside the float network");
  sub->footer(kEvalHelp);
  const auto options = std::make_shared<EvalOptions>();
  sub->add_option("model", options->model, ".octet, or .onnx (run in float32)")
      ->required()
      ->type_name("MODEL");
  sub->add_option("--data", options->data, "Samples with labels, see below")
      ->required()
      ->type_name("DATA");
  sub->add_option("--float", options->float_model, "The float network to compare with")
      ->type_name("MODEL.onnx");
  add_normalize(*sub, options->normalization,
                "How pixels enter a float32 input (an .octet with uint8 input stores it)");
  add_count(*sub, "--limit", options->limit, "Take only the first N samples");
  add_threads(*sub, options->threads);
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options] { run_eval(*options); });
}

void add_run(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("run", "Run numpy arrays through a network");
  sub->footer(kRunHelp);
  const auto options = std::make_shared<RunOptions>();
  sub->add_option("model", options->model, ".octet, or .onnx (run in float32)")
      ->required()
      ->type_name("MODEL");
  sub->add_option("--input", options->inputs, "An array for an input; repeat for several inputs")
      ->required()
      ->type_name("[NAME=]X.npy")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  sub->add_option("--output", options->outputs, "Where an output goes; repeat for several outputs")
      ->required()
      ->type_name("[NAME=]Y.npy")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  sub->callback([options] { run_run(*options); });
}

void add_bench(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("bench", "Measure latency and throughput of a model");
  sub->footer(kBenchHelp);
  const auto options = std::make_shared<BenchOptions>();
  CLI::Option* model =
      sub->add_option("model", options->model, "The model")->type_name("MODEL.octet");
  CLI::Option* kernels =
      sub->add_option_function<std::string>(
             "--kernels",
             [options](const std::string& text) {
               options->kernels = parse_gemm_shape(text);
               if (!options->kernels) {
                 throw CLI::ValidationError("--kernels: '" + text +
                                            "' is not M,N,K: three whole numbers from 1 to " +
                                            std::to_string(kMaxGemmSize));
               }
             },
             "Time every kernel table on C[M][N] = A[M][K] * W[N][K] instead of a model")
          ->type_name("M,N,K")
          ->excludes(model);
  sub->add_option("--batch", options->batch, "Samples per call")
      ->check(CLI::Range(std::size_t{1}, kMaxBatch).description(""))
      ->type_name("N")
      ->capture_default_str();
  add_threads(*sub, options->threads);
  sub->add_option("--isa", options->isa, "Kernel table, see octet cpu (default: the best)")
      ->type_name("NAME");
  sub->add_option("--beside", options->beside, "Another model, in turns with this one")
      ->type_name("MODEL.octet");
  for (const char* name : {"--batch", "--threads", "--isa", "--beside"}) {
    kernels->excludes(sub->get_option(name));
  }
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options] {
    if (!options->kernels && options->model.empty()) {
      throw CLI::RequiredError("MODEL.octet or --kernels");
    }
    run_bench(*options);
  });
}

void add_info(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("info", "Show what is inside a network file");
  sub->footer(kInfoHelp);
  const auto options = std::make_shared<InfoOptions>();
  sub->add_option("model", options->model, ".octet or .onnx")->required()->type_name("MODEL");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options] { run_info(*options); });
}

void add_compare(CLI::App& app) {
  CLI::App* sub = app.add_subcommand(
      "compare", "Show where a model differs from its float network, node by node");
  sub->footer(kCompareHelp);
  const auto options = std::make_shared<CompareOptions>();
  sub->add_option("model", options->model, "The model")->required()->type_name("MODEL.octet");
  sub->add_option("float", options->float_model, "What it was made from")
      ->required()
      ->type_name("FLOAT.onnx");
  sub->add_option("--data", options->data, "Samples, with or without labels")
      ->required()
      ->type_name("DATA");
  add_normalize(*sub, options->normalization, "What pixels mean, if the model does not store it");
  add_count(*sub, "--limit", options->limit, "Take only the first N samples");
  sub->add_option("--html", options->html, "A page with drawings")->type_name("REPORT.html");
  sub->callback([options] { run_compare(*options); });
}

void add_size(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("size", "Tell how much memory a network or its weights take");
  sub->footer(kSizeHelp);
  const auto options = std::make_shared<SizeOptions>();
  auto* model = sub->add_option("model", options->model, ".octet or .onnx")->type_name("MODEL");
  auto* parameters =
      sub->add_option("--params", options->parameters, "Instead: how many parameters")
          ->check(CLI::Range(1.0, 1e18).description(""))
          ->type_name("P")
          ->excludes(model);
  sub->add_option("--bits", options->bits, "Of each weight; of an .octet the file tells")
      ->check(CLI::Range(std::size_t{1}, std::size_t{64}).description(""))
      ->type_name("Q")
      ->capture_default_str();
  add_count(*sub, "--group-size", options->group_size, "Weights that share a float scale");
  sub->add_option("--overhead", options->overhead, "What a program needs beside the weights")
      ->check(CLI::Range(1.0, 100.0).description(""))
      ->type_name("F")
      ->capture_default_str();
  sub->callback([options, model, parameters] {
    if (model->count() + parameters->count() != 1) {
      throw CLI::ValidationError("give a MODEL or --params P");
    }
    need_number("--params", options->parameters.value_or(1));
    need_number("--overhead", options->overhead);
    run_size(*options);
  });
}

void add_embed(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("embed", "Turn a model into an object file to link");
  sub->footer(kEmbedHelp);
  const auto options = std::make_shared<EmbedOptions>();
  sub->add_option("model", options->model, "The model")->required()->type_name("MODEL.octet");
  sub->add_option("-o,--output", options->output, "The object file to write")
      ->required()
      ->type_name("FILE.o");
  sub->add_option("--header", options->header, "A C header that declares it")->type_name("FILE.h");
  sub->add_option("--name", options->name, "The constant's name (default: that of FILE.o)");
  sub->add_option("--machine", options->machine, "Whose object file")
      ->check(CLI::IsMember({"x86-64", "aarch64"}).description(""))
      ->type_name("x86-64|aarch64")
      ->capture_default_str();
  sub->callback([options] { run_embed(*options); });
}

void add_verify(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("verify", "Show that tables, threads and batch splits give equal bytes");
  sub->footer(kVerifyHelp);
  const auto options = std::make_shared<VerifyOptions>();
  sub->add_option("model", options->model, "The model")->required()->type_name("MODEL.octet");
  sub->add_option("--data", options->data, "Samples to run instead of generated ones")
      ->type_name("DATA");
  add_count(*sub, "--limit", options->limit,
            "Run only the first N samples (default: 256 generated ones, or all of DATA)");
  sub->callback([options] { run_verify(*options); });
}

void add_cpu(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("cpu", "What this CPU can run and which kernels octet takes");
  sub->footer(kCpuHelp);
  const auto options = std::make_shared<CpuOptions>();
  sub->add_flag("--peak", options->peak, "Measure arithmetic and read bandwidth, about a second");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options] { run_cpu(*options); });
}

int report(const std::string& message, int status = kError) {
  std::fprintf(stderr, "octet: %s\n", printable(message).c_str());
  return status;
}

int parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const auto subcommands = app.get_subcommands();
    if (!subcommands.empty()) {
      const std::string name = subcommands[0]->get_name();
      return report(format("%s; see octet %s --help", error.what(), name.c_str()), kUsage);
    }
    if (argc > 1 && *argv[1] != '-') {  // CLI11 says only that a subcommand is required
      return report(format("there is no command '%s'; see octet --help", argv[1]), kUsage);
    }
    return report(format("%s; see octet --help", error.what()), kUsage);
  }
  return 0;
}

}  // namespace

int run(int argc, const char* const* argv) {
  std::set_terminate(terminate);
  try {
    CLI::App app(
        "octet turns a float ONNX network into an int8 model, proves what that cost, and "
        "runs it with the same bits on every CPU.",
        "octet");
    app.footer(kHelp);
    app.set_version_flag("--version", std::string("octet ") + octet_version());
    app.require_subcommand(1);
    add_convert(app);
    add_eval(app);
    add_run(app);
    add_bench(app);
    add_info(app);
    add_compare(app);
    add_size(app);
    add_embed(app);
    add_verify(app);
    add_cpu(app);
    const int status = parse(app, argc, argv);
    if (status != 0) return status;
    flush_stdout();  // a full disk behind a redirection shows only here
    return 0;
  } catch (const std::bad_alloc&) {
    return report("out of memory");
  } catch (const std::exception& error) {
    return report(error.what());
  }
}

}  // namespace octet::command
