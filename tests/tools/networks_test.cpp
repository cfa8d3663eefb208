// SPDX-License-Identifier: Apache-2.0
// The reference networks on their real test images, through the command as a user runs it:
// accuracy, agreement and the logits' SQNR beside float must hold, and the bytes must not depend on
// the kernel table.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/shell.h"

namespace octet::test::networks_test {
namespace {

struct Bounds {
  const char* network;
  const char* normalize;
  std::uintmax_t file_bytes;
  double float_accuracy;   // at least
  double accuracy_change;  // int8 against float, at most
  double agreement;        // at least
  double sqnr_db;          // at least
};

constexpr Bounds kMnistMlp{"mnist_mlp", "0.1307,0.3081", 93'000, 0.981, 0.0005, 0.999, 40};
constexpr Bounds kMnistMlp512{"mnist_mlp_512", "0.1307,0.3081", 690'000, 0.983, 0.0005, 0.9995, 43};
constexpr Bounds kFashionMlp{"fashion_mlp", "0.2860,0.3530", 250'000, 0.89, 0.001, 0.997, 42};

// The folder with the images; empty and said so where they are not at hand.
std::string find_data(const std::string& name) {
  std::vector<std::string> places;
  if (const char* data = std::getenv("OCTET_DATA"))
    places.push_back(std::string(data) + "/" + name);
  if (const char* cache = std::getenv("XDG_CACHE_HOME")) {
    places.push_back(std::string(cache) + "/octet/" + name);
  } else if (const char* home = std::getenv("HOME")) {
    places.push_back(std::string(home) + "/.cache/octet/" + name);
  }
  places.push_back("/usr/share/datasets/" + name);
  for (const auto& place : places) {
    if (std::filesystem::is_directory(place)) return place;
  }
  std::printf("SKIPPED: no folder with %s's images\n", name.c_str());
  return {};
}

// What the command prints; the test fails unless it exits 0.
std::string octet(const std::vector<std::string>& arguments) {
  const auto result = octet::test::octet_command(arguments);
  INFO(result.err);
  REQUIRE(result.status == 0);
  return result.out;
}

void check_network(const Bounds& bounds, const std::string& data) {
  const octet::test::TemporaryFolder folder;
  const std::string onnx = std::string(OCTET_SOURCE_DIR "/models/") + bounds.network + ".onnx";
  const std::string model = folder / "network.octet";
  octet({"convert", onnx, "-o", model, "--calibrate", data, "--normalize", bounds.normalize});
  CHECK(std::filesystem::file_size(model) <= bounds.file_bytes);
  const auto result =
      nlohmann::json::parse(octet({"eval", model, "--data", data, "--float", onnx, "--json"}));
  CHECK(result.at("samples") == 10'000);
  const double float_accuracy = result.at("float_accuracy");
  CHECK(float_accuracy >= bounds.float_accuracy);
  // The slack is for the decimal bounds, which binary fractions of 10,000 cannot hit.
  CHECK(std::abs(result.at("accuracy").get<double>() - float_accuracy) <=
        bounds.accuracy_change + 1e-9);
  CHECK(result.at("agreement").get<double>() >= bounds.agreement - 1e-9);
  CHECK(result.at("sqnr_db").get<double>() >= bounds.sqnr_db);

  const std::string again = folder / "again.octet";
  octet({"convert", onnx, "-o", again, "--calibrate", data, "--normalize", bounds.normalize});
  CHECK(folder.read("again.octet") == folder.read("network.octet"));
  const std::string verified = octet({"verify", model, "--data", data, "--limit", "64"});
  CHECK(verified.find("all equal: ") != std::string::npos);
}

// Emulators and sanitizers take minutes for the larger networks, and the small one runs the same
// code: with OCTET_TEST_SMALL=networks it stands for all.
bool is_small_run() {
  const char* value = std::getenv("OCTET_TEST_SMALL");
  const bool small = value != nullptr && std::strstr(value, "networks") != nullptr;
  if (small) std::printf("SKIPPED: a larger network, for OCTET_TEST_SMALL names networks\n");
  return small;
}

}  // namespace

TEST_CASE("mnist_mlp in int8 matches float on MNIST") {
  if (const auto data = find_data("mnist"); !data.empty()) check_network(kMnistMlp, data);
}

TEST_CASE("mnist_mlp_512 in int8 matches float on MNIST") {
  if (is_small_run()) return;
  if (const auto data = find_data("mnist"); !data.empty()) check_network(kMnistMlp512, data);
}

TEST_CASE("fashion_mlp in int8 matches float on Fashion-MNIST") {
  if (is_small_run()) return;
  if (const auto data = find_data("fashion-mnist"); !data.empty()) check_network(kFashionMlp, data);
}

}  // namespace octet::test::networks_test
