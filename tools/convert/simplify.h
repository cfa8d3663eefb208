// SPDX-License-Identifier: Apache-2.0
// Rewrites a float graph into fewer nodes that compute the same function.
#pragma once

#include "tools/convert/graph.h"

namespace octet::convert {

// Folds affine (BatchNormalization, Mul, Sub, Div, Add of constants) into the linear before or
// after it, clip into the linear or add before it, chains of reshape and identity transposes;
// removes nodes that no output needs. The last value of each output keeps its name.
void simplify(Graph& graph);

}  // namespace octet::convert
