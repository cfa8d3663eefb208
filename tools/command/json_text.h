// SPDX-License-Identifier: Apache-2.0
// What --json prints.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace octet::command {

// Paths may hold bytes that are no UTF-8, which JSON cannot: they become U+FFFD.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace octet::command
