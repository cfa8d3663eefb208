// SPDX-License-Identifier: Apache-2.0
// octet convert --mode: what each mode takes, and what it writes.
#include <doctest/doctest.h>

#include "tests/tools/converted.h"
#include "tests/tools/shell.h"
#include "tests/tools/small_network.h"

namespace octet::test::command_modes_test {
namespace {

// Each option must be refused in this mode, for this reason.
void check_refused(const std::string& mode, const std::string& reason,
                   const std::vector<std::vector<std::string>>& options) {
  const TemporaryFolder folder;
  const auto onnx = small_network().write(folder);
  for (const std::vector<std::string>& option : options) {
    std::vector<std::string> arguments{"convert", onnx, "-o", folder / "net.octet", "--mode", mode};
    arguments.insert(arguments.end(), option.begin(), option.end());
    const Result result = octet_command(arguments);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says("--mode " + mode + " " + reason + "; leave " + option[0]));
  }
  CHECK_FALSE(folder.has("net.octet"));
}

}  // namespace

TEST_CASE("command: weight-only and dynamic need no data; the file tells the mode") {
  const TemporaryFolder folder;
  const auto onnx = small_network().write(folder);
  const auto model = folder / "net.octet";
  const auto metadata = [&](const std::vector<std::string>& options, int reader) {
    std::vector<std::string> arguments{"convert", onnx, "-o", model};
    arguments.insert(arguments.end(), options.begin(), options.end());
    REQUIRE(octet_command(arguments).status == 0);
    const auto info = octet_command({"info", model, "--json"}).json();
    CHECK(info["reader_version"] == reader);
    return info["metadata"];
  };
  const auto weights = metadata({"--mode", "weight-only", "--weight-bits", "4"}, 2);
  CHECK(weights["mode"] == "weight-only");
  CHECK(weights["weight_bits"] == "4");
  CHECK(weights["group_size"] == "32");
  const auto dynamic = metadata({"--mode", "dynamic", "--weights", "per-tensor"}, 3);
  CHECK(dynamic["mode"] == "dynamic");
  CHECK(dynamic["weights"] == "per-tensor");
  CHECK_FALSE(dynamic.contains("activations"));
}

TEST_CASE("command: a mode refuses the options of the others") {
  check_refused("weight-only", "leaves activations in float",
                {{"--calibration", "mse"},
                 {"--weights", "per-tensor"},
                 {"--symmetric"},
                 {"--equalize"},
                 {"--auto"}});
  check_refused("dynamic", "takes weights of 8 bits, and finds ranges as it runs",
                {{"--calibration", "mse"},
                 {"--symmetric"},
                 {"--equalize"},
                 {"--auto"},
                 {"--weight-bits", "4"},
                 {"--group-size", "8"}});
  const TemporaryFolder folder;
  const Result bits = octet_command(
      {"convert", small_network().write(folder), "-o", folder / "net.octet", "--weight-bits", "4"});
  CHECK(fails_cleanly(bits, 1));
  CHECK(bits.says("--weight-bits and --group-size are for --mode weight-only"));
}

TEST_CASE("command: --strict passes int8 alone, and writes nothing otherwise") {
  const TemporaryFolder folder;
  const auto onnx = small_network().write(folder);
  const auto model = folder / "net.octet";
  const Result floats =
      octet_command({"convert", onnx, "-o", model, "--mode", "weight-only", "--strict"});
  CHECK(floats.status == 1);
  CHECK(floats.says("--strict, but 2 nodes compute in float"));
  CHECK(floats.says("node 'fc1' (group_linear): weight-only, activations are float"));
  CHECK_FALSE(folder.has("net.octet"));
  CHECK(octet_command({"convert", onnx, "-o", model, "--mode", "dynamic", "--strict"}).status == 0);
  const Result kept = octet_command(
      {"convert", onnx, "-o", model, "--mode", "dynamic", "--keep-float", "fc2", "--strict"});
  CHECK(kept.status == 1);
  CHECK(kept.says("--strict, but 1 node computes in float"));
  CHECK(kept.says("node 'fc2' (float_linear): kept in float when it was converted"));
}

}  // namespace octet::test::command_modes_test
