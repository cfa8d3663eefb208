// SPDX-License-Identifier: Apache-2.0
// Cross-layer equalization (M. Nagel et al., "Data-Free Quantization Through Weight Equalization
// and Bias Correction", 2019): neurons of one layer whose weights are large share a scale with
// those whose weights are small.
#pragma once

#include <cstddef>

#include "tools/convert/graph.h"

namespace octet::convert {

// Where one linear alone feeds another, at most through ReLU or LeakyRelu, its neuron i is divided
// by s[i] and the weights that read it are multiplied by it: with s[i] = sqrt(r1[i] / r2[i]), r1
// and r2 the largest weight on either side, both become sqrt(r1[i] * r2[i]). s is rounded to a
// power of two, so that the network's floats stay the same to the last bit; neurons that this would
// take out of the normal floats, and those with only zeros on a side, are left alone. Goes over the
// graph until nothing changes, 32 times at most. Gives the number of neurons that were rescaled.
std::size_t equalize(Graph& graph);

}  // namespace octet::convert
