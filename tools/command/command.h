// SPDX-License-Identifier: Apache-2.0
// The octet command: its entry, and what each subcommand does with its options, one file each.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/command/bench_kernels.h"
#include "tools/command/feed.h"
#include "tools/convert/calibrate.h"
#include "tools/data/array.h"

namespace octet::command {

// Parses the command line and runs it. Returns the exit status: 0, 1 for an error (one message on
// stderr that begins with "octet: "), 2 for wrong usage.
int run(int argc, const char* const* argv);

struct ConvertOptions {
  std::string model;
  std::string output;
  std::string calibrate;
  std::size_t samples = 1000;
  std::optional<Normalization> normalization;
  std::string mode = "static";          // or dynamic, weight-only
  std::size_t weight_bits = 8;          // weight-only: or 4
  std::size_t group_size = 0;           // weight-only: inputs per scale; 0: see --help
  bool strict = false;                  // no node may compute in float
  std::string weights = "per-channel";  // or per-tensor
  bool symmetric = false;
  bool equalize = false;
  bool automatic = false;                                        // --auto
  std::optional<double> max_drop;                                // with automatic, in points
  std::vector<std::string> keep_float;                           // linear nodes
  std::string calibration = "minmax";                            // see find_calibration
  double percentile = convert::CalibrationOptions{}.percentile;  // in (50, 100]
  // For callers other than the command line:
  std::vector<data::Array> arrays;  // instead of calibrate: what its .npy files would hold
  std::function<void()> tick;       // instead of a progress bar; may throw, to give up
};

struct EvalOptions {
  std::string model;
  std::string data;
  std::string float_model;
  std::optional<Normalization> normalization;
  std::size_t limit = 0;  // 0: no limit
  std::size_t threads = 1;
  bool json = false;
};

struct RunOptions {
  std::string model;
  std::vector<std::string> inputs;  // [NAME=]X.npy
  std::vector<std::string> outputs;
};

struct BenchOptions {
  std::string model;
  std::size_t batch = 1;
  std::size_t threads = 1;
  std::string isa;                    // empty: the best
  std::optional<std::string> beside;  // another model, to time in turns with it
  std::optional<GemmShape> kernels;   // instead of a model
  bool json = false;
};

struct InfoOptions {
  std::string model;
  bool json = false;
};

struct CompareOptions {
  std::string model;
  std::string float_model;
  std::string data;
  std::optional<Normalization> normalization;
  std::size_t limit = 0;  // 0: no limit
  std::string html;       // a file to write, or empty
};

struct SizeOptions {
  std::string model;                 // .octet or .onnx, or
  std::optional<double> parameters;  // how many
  std::size_t bits = 32;             // of parameters, or of an .onnx
  std::size_t group_size = 0;        // 0: no scales
  double overhead = 1.2;
};

struct EmbedOptions {
  std::string model;
  std::string output;
  std::string header;  // a file to write, or empty
  std::string name;    // of the constant; empty: after the output
#ifdef __aarch64__
  std::string machine = "aarch64";
#else
  std::string machine = "x86-64";  // or aarch64
#endif
};

struct VerifyOptions {
  std::string model;
  std::string data;       // empty: generated samples
  std::size_t limit = 0;  // 0: all of data, or 256 generated ones
};

struct CpuOptions {
  bool peak = false;
  bool json = false;
};

// Each prints its result on stdout and throws octet::Error.
void run_convert(const ConvertOptions& options);
void run_eval(const EvalOptions& options);
void run_run(const RunOptions& options);
void run_bench(const BenchOptions& options);
void run_info(const InfoOptions& options);
void run_compare(const CompareOptions& options);
void run_size(const SizeOptions& options);
void run_embed(const EmbedOptions& options);
void run_verify(const VerifyOptions& options);
void run_cpu(const CpuOptions& options);

}  // namespace octet::command
