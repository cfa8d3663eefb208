// SPDX-License-Identifier: Apache-2.0
// The octet command's failures: exit statuses, one message each, no file left behind.
#include <doctest/doctest.h>

#include "tests/tools/converted.h"

namespace octet::test::command_errors_test {

using data::ArrayType;

TEST_CASE("command: usage errors exit with 2 and point to the help") {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"nonsense"},
      {"convert"},
      {"convert", "net.onnx"},
      {"convert", "net.onnx", "-o", "x", "--nonsense"},
      {"convert", "net.onnx", "-o", "x", "--samples", "0"},
      {"convert", "net.onnx", "-o", "x", "--weights", "per-layer"},
      {"convert", "net.onnx", "-o", "x", "--normalize", "0.5"},
      {"convert", "net.onnx", "-o", "x", "--normalize", "0.5,0"},
      {"convert", "net.onnx", "-o", "x", "--normalize", "nan,1"},
      {"convert", "net.onnx", "-o", "x", "--percentile", "99"},
      {"convert", "net.onnx", "-o", "x", "--calibration", "percentile", "--percentile", "50"},
      {"eval", "net.octet"},
      {"eval", "net.octet", "--data", "d", "--threads", "0"},
      {"run", "net.octet", "--input", "x.npy"},
      {"bench", "net.octet", "--batch", "many"},
      {"bench"},
      {"bench", "--kernels", "16,100"},
      {"bench", "--kernels", "16,100,784,1"},
      {"bench", "--kernels", "16,0,784"},
      {"bench", "--kernels", "16,-1,784"},
      {"bench", "--kernels", "16, 100,784"},
      {"bench", "--kernels", "16,100,"},
      {"bench", "--kernels", "16,100,16385"},
      {"bench", "--kernels", "16,100,99999999999999999999"},
      {"bench", "--kernels", "1,1,1", "--isa", "scalar"},
      {"bench", "net.octet", "--kernels", "1,1,1"},
      {"info"},
      {"verify", "net.octet", "--limit", "-1"},
      {"cpu", "extra"}};
  for (const auto& arguments : wrong) {
    const Result result = octet_command(arguments);
    INFO(result.err);
    CHECK(fails_cleanly(result, 2));
    CHECK(result.says("--help"));
  }
}

TEST_CASE("command: a convert that fails leaves no file") {
  const TemporaryFolder folder;
  const std::string good = small_network().write(folder, "good.onnx");
  write_data(folder, std::string(kTest, '\0'));
  const std::string data = folder.path();
  const auto text = folder.write("text.onnx", "a text file, nothing else\n");
  const auto cut = folder.write("cut.onnx", folder.read("good.onnx").substr(0, 700));
  auto builder = small_network();
  builder.model.mutable_graph()->mutable_node(2)->set_op_type("Shrink");
  const auto op = builder.write(folder, "op.onnx");
  const auto bad = write_array(folder, "bad.npy", ArrayType::f32, {2, 3},
                               std::as_bytes(std::span("123456781234567812345678", 24)));
  const std::size_t files = folder.files();

  struct Case {
    std::string model;
    std::string calibrate;
    std::vector<std::string> messages;
  };
  for (const auto& [model, calibrate, messages] :
       std::vector<Case>{{text, data, {"text.onnx"}},
                         {cut, data, {"cut.onnx"}},
                         {folder / "none.onnx", data, {"none.onnx"}},
                         {op, data, {"op.onnx", "relu1", "Shrink"}},
                         {good, folder / "none", {(folder / "none") + ": no such folder"}},
                         {good, bad, {"bad.npy", "takes 16"}},
                         {good, text, {"text.onnx", "neither a folder nor a .npy file"}}}) {
    const Result result =
        octet_command({"convert", model, "-o", folder / "out.octet", "--calibrate", calibrate});
    INFO(result.err);
    CHECK(result.status == 1);
    CHECK(result.err.starts_with("octet: "));
    for (const auto& message : messages) CHECK(result.says(message));
    CHECK(folder.files() == files);
  }
  const Result missing = octet_command({"convert", good, "-o", folder / "out.octet"});
  CHECK(fails_cleanly(missing, 1));
  CHECK(missing.says("add --calibrate"));
  for (const auto& [output, message] : std::vector<std::pair<std::string, std::string>>{
           {good, "is the network itself"},
           {folder.path(), "is a folder"},
           {folder / "none/out.octet", "create it first"}}) {
    const Result result = octet_command({"convert", good, "-o", output, "--calibrate", data});
    INFO(result.err);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says(message));
  }
  CHECK(folder.files() == files);
}

TEST_CASE("command: a quantized ONNX takes no option about scales") {
  const TemporaryFolder folder;
  auto builder = small_network();
  builder.node("QuantizeLinear", {"logits", "s"}, {"q"}).floats("s", {}, {0.5F}).output("q");
  const auto onnx = builder.write(folder);
  for (const std::vector<std::string>& option :
       std::vector<std::vector<std::string>>{{"--calibrate", folder.path()},
                                             {"--calibration", "mse"},
                                             {"--weights", "per-tensor"},
                                             {"--symmetric"},
                                             {"--equalize"},
                                             {"--auto"},
                                             {"--mode", "weight-only"},
                                             {"--mode", "dynamic"},
                                             {"--weight-bits", "4"},
                                             {"--group-size", "8"},
                                             {"--keep-float", "fc1"}}) {
    std::vector<std::string> arguments{"convert", onnx, "-o", folder / "out.octet"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    const Result result = octet_command(arguments);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says("is already quantized, its own scales are kept; leave " + option[0]));
  }
  CHECK_FALSE(folder.has("out.octet"));
}

TEST_CASE("command: a damaged model is an error of every subcommand") {
  const Converted net;
  std::string bytes = net.folder.read("net.octet");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const auto damaged = net.folder.write("damaged.octet", bytes);
  const auto x = net.folder / "x.npy";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"info", damaged},
           {"bench", damaged},
           {"verify", damaged},
           {"eval", damaged, "--data", net.folder.path()},
           {"run", damaged, "--input", x, "--output", net.folder / "out.npy"}}) {
    const Result result = octet_command(arguments);
    INFO(result.err);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says("damaged.octet"));
  }
  CHECK_FALSE(net.folder.has("out.npy"));
}

}  // namespace octet::test::command_errors_test
