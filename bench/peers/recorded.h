// SPDX-License-Identifier: Apache-2.0
// What the best int8 library reached per shape when octet was begun, so that a run in which the
// peers do badly is seen.
#pragma once

#include <cstddef>

namespace octet::bench {

// GOPS of one Zen 4 core, medians of the quietest round; its vpdpbusd did kRecordedPeak on
// registers, output requantized to 8 bits: the best of oneDNN 2.6, FBGEMM, intgemm, ONNX
// Runtime 1.30, XNNPACK (2022), PyTorch 1.13, ruy and gemmlowp. 0: not measured.
inline constexpr double kRecordedPeak = 462;
inline constexpr std::size_t kRecordedM[] = {1, 4, 16, 64, 256, 1024};
struct Recorded {
  std::size_t k, n;
  double gops[6];
};
inline constexpr Recorded kRecorded[] = {
    {784, 100, {130, 310, 359, 382, 392, 395}},  {100, 100, {69, 158, 255, 319, 345, 351}},
    {100, 10, {41, 73, 77, 156, 210, 230}},      {784, 512, {190, 410, 437, 442, 451, 447}},
    {512, 512, {192, 410, 430, 436, 442, 436}},  {1024, 1024, {169, 424, 431, 436, 444, 440}},
    {768, 3072, {168, 408, 436, 435, 442, 426}}, {3072, 768, {179, 440, 438, 443, 445, 433}},
    {4096, 4096, {122, 385, 375, 418, 437, 0}},
};

}  // namespace octet::bench
