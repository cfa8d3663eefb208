// SPDX-License-Identifier: Apache-2.0
// The layers that the benchmarks time.
#pragma once

#include <cstddef>

namespace octet::bench {

struct Shape {
  std::size_t k, n;
};
inline constexpr Shape kShapes[] = {{784, 100},   {100, 100},  {100, 10},   {784, 512},  {512, 512},
                                    {1024, 1024}, {768, 3072}, {3072, 768}, {4096, 4096}};

}  // namespace octet::bench
