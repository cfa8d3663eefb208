// SPDX-License-Identifier: Apache-2.0
// Options that several subcommands share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "tools/command/feed.h"

namespace octet::command {

inline constexpr std::size_t kMaxThreads = 1024;

// "MEAN,STD", both finite, STD > 0; nothing for any other text.
std::optional<Normalization> parse_normalization(const std::string& text);
std::string normalization_text(const Normalization& normalization);  // "0.1307,0.3081"

void add_normalize(CLI::App& app, std::optional<Normalization>& normalization,
                   const std::string& help);
void add_threads(CLI::App& app, std::size_t& threads);
// A count of at least 1.
CLI::Option* add_count(CLI::App& app, const std::string& name, std::size_t& number,
                       const std::string& help);

}  // namespace octet::command
