// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/integer_linear.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/errors.h"

namespace octet::convert {

WeightParts split_weights(const std::vector<std::int16_t>& codes, std::size_t k) {
  const auto [least, most] = std::ranges::minmax(codes);
  const std::size_t parts = least >= -128 && most <= 127 ? 1 : least >= -256 && most <= 254 ? 2 : 3;
  WeightParts result{parts, std::vector<std::int8_t>(codes.size() * parts)};
  for (std::size_t i = 0; i < codes.size(); ++i) {
    std::int32_t rest = codes[i];
    for (std::size_t part = 0; part < parts; ++part) {
      const std::int32_t value = std::clamp(rest, -128, 127);
      result.weight[(i / k * parts + part) * k + i % k] = static_cast<std::int8_t>(value);
      rest -= value;
    }
  }
  return result;
}

std::vector<std::int32_t> integer_bias(const Node& node, const Encoding& input, std::size_t m,
                                       const std::string& source) {
  std::vector<std::int32_t> result(m);
  const auto entry = [](const std::vector<float>& scales, std::size_t i) {
    return scales[scales.size() == 1 ? 0 : i];
  };
  for (std::size_t i = 0; i < m; ++i) {
    const float scale = input.scale * entry(node.weight_scale, i);
    double bias = node.bias.empty() ? 0 : double{node.bias[i]};
    if (!node.bias_codes.empty()) {
      bias = double{entry(node.bias_scale, i)} * static_cast<double>(node.bias_codes[i]);
    }
    const double code = std::nearbyint(bias / double{scale});
    if (!(code >= std::numeric_limits<std::int32_t>::min() &&
          code <= std::numeric_limits<std::int32_t>::max())) {
      engine::fail(Error::Code::unsupported, source, ": node '", node.name, "' (linear): channel ",
                   i, ": bias ", bias, " is ", code, " steps of ", scale, " (", input.scale, " * ",
                   entry(node.weight_scale, i),
                   "), which int32 does not hold; use larger weight scales, or normalize the "
                   "input");
    }
    result[i] = static_cast<std::int32_t>(code);
  }
  return result;
}

}  // namespace octet::convert
