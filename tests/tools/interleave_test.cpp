// SPDX-License-Identifier: Apache-2.0
// Turns, by a clock that only the calls move.
#include "tools/measure/interleave.h"

#include <doctest/doctest.h>

#include <vector>

namespace octet::test::interleave_test {
namespace {

double now = 0;
double fake_clock() {
  return now;
}

// Calls of so many seconds; hiccup comes with the call of that number.
struct Competitor {
  double seconds;
  double hiccup = 0;
  int hiccup_call = -1;
  int calls = 0;
  std::vector<std::size_t> turns{};  // calls of each

  measure::Repeat repeat() {
    return [this](std::size_t count) {
      turns.push_back(count);
      for (std::size_t i = 0; i < count; ++i) {
        now += seconds;
        if (calls++ == hiccup_call) now += hiccup;
      }
    };
  }
  // Turns are a call to warm up and as many as were counted; before them come those that count.
  std::size_t rounds() const {
    std::size_t count = 0;
    for (std::size_t i = turns.size(); i >= 2 && turns[i - 1] == turns.back() && turns[i - 2] == 1;
         i -= 2) {
      ++count;
    }
    return count;
  }
};

std::vector<double> medians(Competitor& one, Competitor& other, int rounds, double turn) {
  const measure::Repeat repeats[] = {one.repeat(), other.repeat()};
  return measure::interleaved_medians(repeats, rounds, turn, fake_clock);
}

}  // namespace

TEST_CASE("interleaved medians are seconds per call of as many turns as asked for") {
  Competitor one{1e-6}, other{3e-6};
  const auto seconds = medians(one, other, 35, 2e-3);
  REQUIRE(seconds.size() == 2);
  CHECK(seconds[0] == doctest::Approx(1e-6));
  CHECK(seconds[1] == doctest::Approx(3e-6));
  CHECK(one.rounds() == 35);
  CHECK(other.rounds() == 35);
  CHECK(static_cast<double>(one.turns.back()) == doctest::Approx(2000).epsilon(0.01));
  CHECK(static_cast<double>(other.turns.back()) == doctest::Approx(667).epsilon(0.01));
}

TEST_CASE("what comes between while calls are counted does not make turns short") {
  for (int call = 0; call < 8; ++call) {
    Competitor one{1e-6, 3e-3, call}, other{1e-6};
    const auto seconds = medians(one, other, 11, 2e-3);
    INFO(call);
    CHECK(static_cast<double>(one.turns.back()) == doctest::Approx(2000).epsilon(0.01));
    CHECK(seconds[0] == doctest::Approx(1e-6));
  }
}

TEST_CASE("long calls have fewer rounds, calls as long as a turn have all") {
  Competitor as_long{2e-3}, also{2e-3};
  medians(as_long, also, 35, 2e-3);
  CHECK(as_long.turns.back() == 1);
  Competitor longer{8e-3}, shorter{1e-6};
  medians(longer, shorter, 35, 2e-3);
  // 35 * 2 * 2 turns of 2 ms are 280 ms, a round of these 18: begun before they are over, 16.
  CHECK(shorter.rounds() == 16);
  Competitor longest{1}, beside{1e-6};
  medians(longest, beside, 35, 2e-3);
  CHECK(beside.rounds() == measure::kLeastRounds);
  Competitor few{1}, also_few{1e-6};
  medians(few, also_few, 3, 2e-3);
  CHECK(also_few.rounds() == 3);
}

}  // namespace octet::test::interleave_test
