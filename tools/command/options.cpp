// SPDX-License-Identifier: Apache-2.0
// Parsing of shared options; a bad value is wrong usage, not an error of the work.
#include "tools/command/options.h"

#include <charconv>
#include <cmath>

#include "engine/errors.h"

namespace octet::command {

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

std::string normalization_text(const Normalization& normalization) {
  return engine::message(normalization.mean, ",", normalization.std);
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

}  // namespace octet::command
