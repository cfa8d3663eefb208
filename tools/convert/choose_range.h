// SPDX-License-Identifier: Apache-2.0
// Ranges that give up outliers for finer steps, from a histogram of the values.
#pragma once

#include "tools/convert/observers.h"
#include "tools/convert/quantize.h"

namespace octet::convert {

// x through the codes of choose_codes and back: scale * (clamp(rne(x / scale) + zero_point) -
// zero_point), in double.
double through_codes(double x, ScaleZeroPoint codes, bool symmetric) noexcept;

// The range whose codes have the least mean square error, every value taken for the middle of its
// bin.
Range mse_range(const HistogramObserver& histogram, bool symmetric);

// The range with the least Kullback-Leibler divergence of the codes' distribution from the values'
// (S. Migacz, "8-bit inference with TensorRT", 2017, for ranges with two ends): what is clipped
// counts as the outermost bin of the reference, and a code's count is spread evenly over those bins
// of its own that hold values. Different from there: the bin of 0 is left out, for ReLU fills it
// and its code is exact; and what bins of few values diverge by chance, (bins - codes) / (2 *
// values) on average, is taken off, or few samples would give narrow ranges.
Range entropy_range(const HistogramObserver& histogram, bool symmetric);

}  // namespace octet::convert
