// SPDX-License-Identifier: Apache-2.0
// The compile function of each op, for op_table.cpp.
#pragma once

#include "engine/ops/op.h"

namespace octet::engine {

Compiled compile_quantize(const OpContext& context);
Compiled compile_dequantize(const OpContext& context);
Compiled compile_requantize(const OpContext& context);
Compiled compile_linear(const OpContext& context);
Compiled compile_float_linear(const OpContext& context);
Compiled compile_group_linear(const OpContext& context);
Compiled compile_dynamic_linear(const OpContext& context);
Compiled compile_dynamic_quantize(const OpContext& context);
Compiled compile_clip(const OpContext& context);
Compiled compile_add(const OpContext& context);
Compiled compile_affine(const OpContext& context);
Compiled compile_lookup(const OpContext& context);
Compiled compile_transpose(const OpContext& context);
Compiled compile_concat(const OpContext& context);
Compiled compile_slice(const OpContext& context);
Compiled compile_softmax(const OpContext& context);

Needs linear_needs(const OpContext& context);
Needs float_matrix_needs(const OpContext& context);  // float_linear, group_linear
Needs dynamic_linear_needs(const OpContext& context);

}  // namespace octet::engine
