// SPDX-License-Identifier: Apache-2.0
// The octet command and paths: what it would overwrite, what leads nowhere, what is too much.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/tools/converted.h"

namespace octet::test::command_paths_test {

using data::ArrayType;

TEST_CASE("command: run refuses outputs before it works, and destroys nothing") {
  const Converted net;
  const std::string x = net.folder / "x.npy";
  const std::string out = net.folder / "out.npy";
  std::filesystem::create_symlink(x, net.folder / "link.npy");
  const std::string kept = net.folder.read("x.npy") + net.folder.read("net.octet");
  const std::size_t files = net.folder.files();
  for (const auto& [output, message] : std::vector<std::pair<std::string, std::string>>{
           {x, "is what is read"},
           {net.folder / "link.npy", "is what is read"},
           {net.model, "is the network itself"},
           {net.folder.path(), "is a folder"},
           {"/dev/null", "no regular file"},
           {net.folder / "none/out.npy", "create it first"},
           {"logits=", "no file name"},
           {"", "no file name"}}) {
    const Result result = octet_command({"run", net.model, "--input", x, "--output", output});
    INFO(result.err);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says(message));
  }
  CHECK(net.folder.files() == files);
  CHECK(net.folder.read("x.npy") + net.folder.read("net.octet") == kept);

  // --input takes one file, so that the model may stand behind it.
  const Result behind = octet_command({"run", "--input", x, net.model, "--output", out});
  INFO(behind.err);
  CHECK(behind.status == 0);
}

TEST_CASE("command: two outputs need two files") {
  const TemporaryFolder folder;
  auto builder = small_network();
  builder.output("relu");
  const auto onnx = builder.write(folder);
  const auto floats = test_floats({0, 1});
  const auto x =
      write_array(folder, "x.npy", ArrayType::f32, {kTest, 16}, std::as_bytes(std::span(floats)));
  const std::string out = folder / "y.npy";
  const std::string same = folder.path() + "/./y.npy";
  const Result twice =
      octet_command({"run", onnx, "--input", x, "--output", out, "--output", "relu=" + same});
  INFO(twice.err);
  CHECK(fails_cleanly(twice, 1));
  CHECK(twice.says("is given for two outputs"));
  CHECK_FALSE(folder.has("y.npy"));
  const Result half = octet_command(
      {"run", onnx, "--input", x, "--output", out, "--output", folder / "none/relu.npy"});
  CHECK(fails_cleanly(half, 1));
  CHECK_FALSE(folder.has("y.npy"));
}

TEST_CASE("command: convert keeps its calibration data, and tells when they say nothing") {
  const Converted net;
  const std::string x = net.folder / "x.npy";
  const std::string kept = net.folder.read("x.npy");
  const Result over = octet_command({"convert", net.onnx, "-o", x, "--calibrate", x});
  INFO(over.err);
  CHECK(fails_cleanly(over, 1));
  CHECK(over.says("is what is read"));
  CHECK(net.folder.read("x.npy") == kept);
  const Result none = octet_command({"convert", net.onnx, "-o", "", "--calibrate", x});
  CHECK(fails_cleanly(none, 1));
  CHECK(none.says("-o: is given no file name"));

  const std::vector<float> zeros(32);
  const auto empty = write_array(net.folder, "zeros.npy", ArrayType::f32, {2, 16},
                                 std::as_bytes(std::span(zeros)));
  const Result result = octet_command({"convert", net.onnx, "-o", net.model, "--calibrate", empty});
  CHECK(result.status == 0);
  CHECK(result.out.find("note         input 'input': all its values are 0;") != std::string::npos);
  CHECK(net.convert.out.find("all its values") == std::string::npos);
}

TEST_CASE("command: what is no command, no float network, or more than memory holds") {
  const Result unknown = octet_command({"frobnicate"});
  CHECK(fails_cleanly(unknown, 2));
  CHECK(unknown.says("there is no command 'frobnicate'"));

  const Converted net;
  const Result quantized =
      octet_command({"eval", net.model, "--data", net.folder.path(), "--float", net.model});
  CHECK(fails_cleanly(quantized, 1));
  CHECK(quantized.says("net.octet: --float takes the float network"));

  const Result many = octet_command({"verify", net.model, "--limit", "1000000000000"});
  CHECK(fails_cleanly(many, 1));
  CHECK(many.says("1000000000000 samples of 32 bytes"));
}

TEST_CASE("command: names that are no text reach neither terminal nor JSON") {
  const TemporaryFolder folder;
  auto builder = small_network();
  builder.model.set_producer_name("torch\x1b[31m\xff");
  const auto onnx = builder.write(folder);
  const Result info = octet_command({"info", onnx, "--json"});
  INFO(info.err);
  REQUIRE(info.status == 0);
  CHECK(info.json()["producer"] == "");

  std::filesystem::copy(onnx, folder / "caf\xe9.onnx");
  const Result path = octet_command({"info", folder / "caf\xe9.onnx", "--json"});
  REQUIRE(path.status == 0);
  CHECK(path.json()["file"].get<std::string>().ends_with("caf\xef\xbf\xbd.onnx"));
  const Converted net;
  std::filesystem::copy(net.model, folder / "caf\xe9.octet");
  CHECK(octet_command({"bench", folder / "caf\xe9.octet", "--json"}).json().contains("gops"));
}

}  // namespace octet::test::command_paths_test
