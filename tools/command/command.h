// SPDX-License-Identifier: Apache-2.0
// The octet command: its entry and its subcommands, one file each.
#pragma once

namespace CLI {
class App;
}

namespace octet::command {

// Parses the command line and runs it. Returns the exit status: 0, 1 for an error (one message on
// stderr that begins with "octet: "), 2 for wrong usage.
int run(int argc, const char* const* argv);

// Each adds one subcommand, whose callback does the work and throws octet::Error, or
// CLI::ValidationError for wrong usage that only shows when options meet.
void add_convert(CLI::App& app);
void add_eval(CLI::App& app);
void add_run(CLI::App& app);
void add_bench(CLI::App& app);
void add_info(CLI::App& app);
void add_verify(CLI::App& app);
void add_cpu(CLI::App& app);

}  // namespace octet::command
