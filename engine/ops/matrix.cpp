// SPDX-License-Identifier: Apache-2.0
// The division of a matrix product.
#include "engine/ops/matrix.h"

namespace octet::engine {
namespace {

// Rows that weights from a second-level cache are worth.
constexpr std::size_t kManyRows = 32;

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
  // Where columns of a row meet in a line of the output, its two cores fight for it.
  const bool has_many_rows = !is_far && m / tasks >= kManyRows;
  keep_of(!has_many_rows && largest(column_tiles) * row_tiles <= largest(row_tiles) * column_tiles,
          {share.part / 2, tasks});
  keep_of(tiles.column_end - tiles.column_begin > nr, {share.part % 2, 2});
  return tiles;
}

}  // namespace octet::engine
