// SPDX-License-Identifier: Apache-2.0
// The division of a matrix product.
#include "engine/ops/matrix.h"

namespace octet::engine {
namespace {

// Rows that weights from a second-level cache are worth.
constexpr std::size_t kHalfRows = 32;

// Of [begin, end) in whole units, keeps one of so many equal parts.
void keep(std::size_t& begin, std::size_t& end, std::size_t unit, Share share) noexcept {
  const std::size_t units = (end - begin + unit - 1) / unit;
  end = std::min(begin + units * (share.part + 1) / share.parts * unit, end);
  begin = std::min(begin + units * share.part / share.parts * unit, end);
}

}  // namespace

[[gnu::noinline]] Tiles divide(std::size_t m, std::size_t n, std::size_t mr, std::size_t nr,
                               Share share, bool is_far) noexcept {
  Tiles tiles{0, m, 0, n};
  const auto keep_of = [&](bool columns, Share part) {
    columns ? keep(tiles.column_begin, tiles.column_end, nr, part)
            : keep(tiles.row_begin, tiles.row_end, mr, part);
  };
  const std::size_t tasks = share.parts / 2;
  const std::size_t row_tiles = (m + mr - 1) / mr;
  const std::size_t column_tiles = (n + nr - 1) / nr;
  const auto largest = [&](std::size_t count) { return (count + tasks - 1) / tasks; };
  keep_of(largest(column_tiles) * row_tiles <= largest(row_tiles) * column_tiles,
          {share.part / 2, tasks});
  // Halves are of rows where these are enough, and weights near enough to be read for each half.
  keep_of(tiles.column_end - tiles.column_begin > nr &&
              (is_far || tiles.row_end - tiles.row_begin < 2 * kHalfRows),
          {share.part % 2, 2});
  return tiles;
}

}  // namespace octet::engine
