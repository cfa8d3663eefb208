// SPDX-License-Identifier: Apache-2.0
// Bias correction (M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
// Correction", 2019), from calibration data: what rounding adds to a neuron on average is taken off
// its bias.
#pragma once

#include <vector>

#include "tools/convert/calibrate.h"
#include "tools/convert/graph.h"
#include "tools/convert/quantize.h"

namespace octet::convert {

// Adds to each bias sum over k of (w[k] E[x[k]] - w'[k] E[x'[k]]): w' are the weights and x' the
// inputs as quantize() with these ranges and options makes them, x' behind layers that were
// corrected before. Linears that stay in float are left alone. Takes as many runs over the data as
// there are linears; the result does not depend on batches or the order of samples.
void correct_biases(Graph& graph, const std::vector<Range>& ranges, const QuantizeOptions& options,
                    BatchSource& data);

}  // namespace octet::convert
