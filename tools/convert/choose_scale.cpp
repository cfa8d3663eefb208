// SPDX-License-Identifier: Apache-2.0
// Scale and zero point from a range of real values.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/convert/quantize.h"

namespace octet::convert {
namespace {

float normal_scale(double scale) {
  if (scale == 0) return 1;
  return static_cast<float>(
      std::max(scale, static_cast<double>(std::numeric_limits<float>::min())));
}

}  // namespace

ScaleZeroPoint choose_asymmetric(Range range, std::int32_t qmin, std::int32_t qmax) {
  const double min = std::min(range.min, 0.0f);
  const double max = std::max(range.max, 0.0f);
  const float scale = normal_scale((max - min) / (qmax - qmin));
  // The unrounded scale where it is usable: then the zero point does not depend on its rounding.
  const double exact =
      std::max((max - min) / (qmax - qmin), static_cast<double>(std::numeric_limits<float>::min()));
  const double zero_point = std::nearbyint(qmin - min / exact);
  return {scale, static_cast<std::int32_t>(
                     std::clamp(zero_point, static_cast<double>(qmin), static_cast<double>(qmax)))};
}

ScaleZeroPoint choose_symmetric(Range range, std::int32_t qmax) {
  const double largest = std::max(std::abs(range.min), std::abs(range.max));
  return {normal_scale(largest / qmax), 0};
}

ScaleZeroPoint choose_codes(Range range, bool symmetric) {
  return symmetric ? choose_symmetric(range, 127) : choose_asymmetric(range, 0, 255);
}

}  // namespace octet::convert
