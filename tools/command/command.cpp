// SPDX-License-Identifier: Apache-2.0
// The top of the command line: help, exit statuses, and the one place that reports errors.
#include "tools/command/command.h"

#include <octet/octet.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

namespace octet::command {
namespace {

constexpr int kError = 1;
constexpr int kUsage = 2;

constexpr const char* kFooter = R"(Start here:
  octet convert mnist_mlp.onnx -o mnist_mlp.octet --calibrate mnist --normalize 0.1307,0.3081
  octet eval mnist_mlp.octet --data mnist --float mnist_mlp.onnx
  octet bench mnist_mlp.octet --batch 256

DATA is a folder with MNIST's four IDX files, plain or .gz (convert reads the train half, eval the
t10k half), or numpy files: X.npy, or X.npy,LABELS.npy for eval. uint8 data are pixels, which enter
as (p / 255 - MEAN) / STD; float data are the network's own values.

OCTET_ISA=NAME forces one kernel table; octet cpu lists them. `octet COMMAND --help` tells more.
Exit status: 0 done, 1 error (one message on stderr), 2 wrong usage.)";

int report(const char* message) {
  std::fprintf(stderr, "octet: %s\n", message);
  return kError;
}

int parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const auto subcommands = app.get_subcommands();
    if (!subcommands.empty()) {
      std::fprintf(stderr, "octet: %s; see octet %s --help\n", error.what(),
                   subcommands[0]->get_name().c_str());
    } else if (argc > 1 && *argv[1] != '-') {  // CLI11 says only that a subcommand is required
      std::fprintf(stderr, "octet: there is no command '%s'; see octet --help\n", argv[1]);
    } else {
      std::fprintf(stderr, "octet: %s; see octet --help\n", error.what());
    }
    return kUsage;
  }
  return 0;
}

}  // namespace

int run(int argc, const char* const* argv) {
  try {
    CLI::App app(
        "octet turns a float ONNX network into an int8 model, proves what that cost, and "
        "runs it with the same bits on every CPU.",
        "octet");
    app.footer(kFooter);
    app.set_version_flag("--version", std::string("octet ") + octet_version());
    app.require_subcommand(1);
    add_convert(app);
    add_eval(app);
    add_run(app);
    add_bench(app);
    add_info(app);
    add_verify(app);
    add_cpu(app);
    const int status = parse(app, argc, argv);
    if (status != 0) return status;
    // A full disk behind a redirection shows only here.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      return report("standard output cannot be written");
    }
    return 0;
  } catch (const std::bad_alloc&) {
    return report("out of memory");
  } catch (const std::exception& error) {
    return report(error.what());
  }
}

}  // namespace octet::command
