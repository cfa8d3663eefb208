// SPDX-License-Identifier: Apache-2.0
// What the command measures of the machine itself, octet cpu --peak and octet bench --kernels, and
// of two models in turns, octet bench --beside.
#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "tests/engine/networks.h"
#include "tests/tools/shell.h"
#include "tests/tools/temporary_folder.h"
#include "tools/convert/model_writer.h"

namespace octet::test::command_measure_test {
namespace {

// scalar and emulated tiles are what a compiler makes of plain loops: they have no peak of fixed
// instructions.
bool has_peak(const std::string& table) {
  return table != "scalar" && table != "amx_int8_emulated";
}

std::string write_mlp(const TemporaryFolder& folder, const std::string& name, std::int64_t width) {
  const GraphBuilder built = mlp({width, width});
  return folder.write(name, std::span<const std::byte>(convert::write_model(built.graph)));
}

}  // namespace

TEST_CASE("command: cpu --peak measures what runs here") {
  const Result result = octet_command({"cpu", "--peak", "--json"}, "OCTET_ISA=");
  INFO(result.err);
  REQUIRE(result.status == 0);
  const auto json = result.json();
  for (const auto& table : json["tables"]) {
    const bool expected = table["runs"].get<bool>() && has_peak(table["name"]);
    REQUIRE(table.contains("peak_gops") == expected);
    if (expected) CHECK(table["peak_gops"].get<double>() > 0);
  }
  const auto& levels = json["read_bandwidth"];
  REQUIRE(levels.size() >= 2);
  CHECK(levels.front()["level"] == "L1");
  CHECK(levels.back()["level"] == "DRAM");
  for (std::size_t i = 0; i < levels.size(); ++i) {
    CHECK(levels[i]["gb_per_s"].get<double>() > 0);
    if (i > 0) CHECK(levels[i]["bytes"].get<double>() > levels[i - 1]["bytes"].get<double>());
  }

  const Result text = octet_command({"cpu", "--peak"}, "OCTET_ISA=");
  CHECK(text.out.find(" GB/s") != std::string::npos);
  const auto plain = octet_command({"cpu", "--json"}, "OCTET_ISA=").json();
  CHECK_FALSE(plain.contains("read_bandwidth"));
  for (const auto& table : plain["tables"]) CHECK_FALSE(table.contains("peak_gops"));
}

TEST_CASE("command: bench --kernels times every table and marks the chosen one") {
  const Result result = octet_command({"bench", "--kernels", "3,10,70", "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const auto json = result.json();
  CHECK(json["m"] == 3);
  CHECK(json["n"] == 10);
  CHECK(json["k"] == 70);
  const auto cpu = kernels::detect_cpu();
  std::vector<std::string> names;
  for (const auto* table : kernels::tables()) {
    if (kernels::runs_here(*table, cpu)) names.emplace_back(table->name);
  }
  REQUIRE(json["tables"].size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& table = json["tables"][i];
    CHECK(table["name"] == names[i]);
    CHECK(table["us"].get<double>() > 0);
    // GOPS: 2 * m * n * k operations in that time.
    CHECK(table["gops"].get<double>() ==
          doctest::Approx(2e-3 * 3 * 10 * 70 / table["us"].get<double>()));
    CHECK(table["chosen"] == (names[i] == kernels::best_table(cpu).name));
    REQUIRE(table.contains("percent_of_peak") == has_peak(names[i]));
    if (has_peak(names[i])) CHECK(table["percent_of_peak"].get<double>() > 0);
  }
  const Result text = octet_command({"bench", "--kernels", "1,1,1"});
  CHECK(text.out.find("<- chosen\n") != std::string::npos);
  const auto forced =
      octet_command({"bench", "--kernels", "1,4,4", "--json"}, "OCTET_ISA=scalar").json();
  for (const auto& table : forced["tables"]) {
    CHECK(table["chosen"] == (table["name"] == "scalar"));
  }
  CHECK(fails_cleanly(octet_command({"bench", "--kernels", "1,4,4"}, "OCTET_ISA=none"), 1));
}

TEST_CASE("command: bench --beside times two models in turns") {
  const TemporaryFolder folder;
  const std::string small = write_mlp(folder, "small.octet", 8);
  const std::string large = write_mlp(folder, "large.octet", 1024);
  const Result result = octet_command({"bench", small, "--beside", large, "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const auto turns = result.json()["in_turns"];
  CHECK(turns["beside"] == large);
  const double one = turns["latency_us_median"], other = turns["beside_latency_us_median"];
  CHECK(one > 0);
  CHECK(other > 2 * one);  // 16,384 times the work
  CHECK(turns["ratio"].get<double>() == doctest::Approx(other / one));
  CHECK_FALSE(octet_command({"bench", small, "--json"}).json().contains("in_turns"));
  const Result missing = octet_command({"bench", small, "--beside", folder / "none.octet"});
  CHECK(fails_cleanly(missing, 1));
  CHECK(missing.says("none.octet"));
  CHECK(fails_cleanly(octet_command({"bench", small, "--beside", ""}), 1));
}

}  // namespace octet::test::command_measure_test
