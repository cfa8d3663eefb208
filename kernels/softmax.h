// SPDX-License-Identifier: Apache-2.0
// Softmax and log-softmax of one row in float, the same bits on every CPU: an exponential and a
// logarithm of our own (multiply then add, one order, written down in softmax.cpp), no libm.
#pragma once

#include <cstddef>

namespace octet::kernels {

// y[i] = exp(x[i] - max) / sum over j ascending of exp(x[j] - max). stride: floats between
// elements, so that any axis of a tensor is a row. n >= 1. y may equal x.
void softmax(const float* x, std::size_t n, std::size_t stride, float* y) noexcept;

// y[i] = (x[i] - max) - log(sum over j ascending of exp(x[j] - max)).
void log_softmax(const float* x, std::size_t n, std::size_t stride, float* y) noexcept;

}  // namespace octet::kernels
