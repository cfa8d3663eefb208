// SPDX-License-Identifier: Apache-2.0
// The octet command, end to end: what it prints and writes for a small network.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "kernels/dispatch.h"
#include "tests/tools/converted.h"
#include "tools/command/synthetic.h"
#include "tools/convert/float_executor.h"
#include "tools/data/sha256.h"

namespace octet::test::command_test {

using data::ArrayType;

TEST_CASE("command: help teaches by examples") {
  const Result top = octet_command({"--help"});
  CHECK(top.status == 0);
  for (const char* name : {"convert", "eval", "run", "bench", "info", "verify", "cpu"}) {
    CHECK(top.out.find(name) != std::string::npos);
    const Result help = octet_command({name, "--help"});
    CHECK(help.status == 0);
    CHECK(help.out.find(std::string("Examples:\n  octet ") + name) != std::string::npos);
  }
  CHECK(octet_command({"--version"}).out == "octet 0.1.0\n");
}

TEST_CASE("command: convert writes the model, the same bytes each time, and nothing else") {
  const Converted net;
  CHECK(net.convert.err.empty());
  CHECK(net.convert.out.find("agrees on") != std::string::npos);
  const std::size_t files = net.folder.files();
  const std::string first = net.folder.read("net.octet");
  const Result again = octet_command({"convert", net.onnx, "-o", net.model, "--calibrate",
                                      net.folder.path(), "--normalize", net.normalize});
  CHECK(again.status == 0);
  CHECK(net.folder.read("net.octet") == first);
  CHECK(net.folder.files() == files);
}

TEST_CASE("command: eval gives accuracy and what int8 cost") {
  const Converted net;
  const Result result = octet_command(
      {"eval", net.model, "--data", net.folder.path(), "--float", net.onnx, "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const auto json = result.json();
  CHECK(json["samples"] == kTest);
  // The labels are the float network's answers.
  CHECK(json["float_accuracy"] == 1.0);
  CHECK(json["accuracy"] == json["agreement"]);
  CHECK(json["accuracy"].get<double>() > 0.9);
  CHECK(json["accuracy_low"].get<double>() < json["accuracy"].get<double>());
  CHECK(json["accuracy_high"].get<double>() >= json["accuracy"].get<double>());
  CHECK(json["sqnr_db"].get<double>() > 30);
  CHECK(json["max_error"].get<double>() > 0);
  CHECK(json["mcnemar_p"].get<double>() <= 1);

  const Result threads = octet_command({"eval", net.model, "--data", net.folder.path(), "--float",
                                        net.onnx, "--json", "--threads", "3"});
  CHECK(threads.out == result.out);
  const auto limited =
      octet_command({"eval", net.model, "--data", net.folder.path(), "--limit", "5", "--json"});
  CHECK(limited.json()["samples"] == 5);
  CHECK_FALSE(limited.json().contains("agreement"));
  const auto original = octet_command(
      {"eval", net.onnx, "--data", net.folder.path(), "--normalize", net.normalize, "--json"});
  CHECK(original.json()["accuracy"] == 1.0);
  // Without the normalization the network sees other numbers.
  const auto bare = octet_command({"eval", net.onnx, "--data", net.folder.path(), "--json"});
  CHECK(bare.json()["accuracy"].get<double>() < 1.0);
  const Result text =
      octet_command({"eval", net.model, "--data", net.folder.path(), "--float", net.onnx});
  CHECK(text.out.find("float accuracy  100.00 %") != std::string::npos);
}

TEST_CASE("command: eval takes numpy files and refuses what does not fit") {
  const Converted net;
  const auto pixels = test_pixels();
  const auto labels = answers(logits_in(net.folder / "y.npy"));
  const auto x = write_array(net.folder, "p.npy", ArrayType::u8, {kTest, 4, 4},
                             std::as_bytes(std::span(pixels)));
  const auto l =
      write_array(net.folder, "l.npy", ArrayType::u8, {kTest}, std::as_bytes(std::span(labels)));
  const auto by_npy = octet_command({"eval", net.model, "--data", x + "," + l, "--json"}).json();
  const auto by_idx =
      octet_command({"eval", net.model, "--data", net.folder.path(), "--json"}).json();
  CHECK(by_npy["accuracy"] == by_idx["accuracy"]);

  const auto narrow = write_array(net.folder, "n.npy", ArrayType::u8, {kTest, 15},
                                  std::as_bytes(std::span(pixels).first(kTest * 15)));
  const Result shape = octet_command({"eval", net.model, "--data", narrow + "," + l});
  CHECK(fails_cleanly(shape, 1));
  CHECK(shape.says("64 x 15 has 15 elements"));
  CHECK(shape.says("takes 16"));
  std::string big = labels;
  big[7] = 4;
  const auto wrong =
      write_array(net.folder, "w.npy", ArrayType::u8, {kTest}, std::as_bytes(std::span(big)));
  const Result label = octet_command({"eval", net.model, "--data", x + "," + wrong});
  CHECK(fails_cleanly(label, 1));
  CHECK(label.says("label 4 of sample 7"));
  const Result twice =
      octet_command({"eval", net.model, "--data", net.folder.path(), "--normalize", "0,1"});
  CHECK(fails_cleanly(twice, 1));
  CHECK(twice.says("stores its own normalization 0.5,0.25"));
  CHECK(fails_cleanly(octet_command({"eval", net.model, "--data", x}), 1));
}

TEST_CASE("command: run takes pixels and the floats that they mean") {
  const Converted net;
  const auto pixels = test_pixels();
  const auto p = write_array(net.folder, "p.npy", ArrayType::u8, {kTest, 16},
                             std::as_bytes(std::span(pixels)));
  const auto run = [&](const std::string& in, const std::string& out) {
    const Result result = octet_command({"run", net.model, "--input", in, "--output", out});
    INFO(result.err);
    CHECK(result.status == 0);
  };
  run(p, net.folder / "a.npy");
  run("input=" + (net.folder / "x.npy"), "logits=" + (net.folder / "b.npy"));
  CHECK(logits_in(net.folder / "a.npy").size() == kTest * kClasses);
  CHECK(net.folder.read("a.npy") == net.folder.read("b.npy"));

  // The same numbers as the library gives.
  const Model model = Model::load(net.model);
  Session session(model);
  std::vector<float> expected(kTest * kClasses);
  REQUIRE(session.run(input(pixels), output(expected), kTest) == OCTET_OK);
  CHECK(logits_in(net.folder / "a.npy") == expected);
}

TEST_CASE("command: run in float32, and what it refuses") {
  const Converted net;
  const convert::Graph graph = convert::import_onnx(net.onnx);
  convert::FloatExecutor executor(graph);
  const auto floats = test_floats(net.normalization);
  const std::span<const float> in(floats);
  const auto expected = executor.run(std::span(&in, 1), kTest)[0];
  const auto got = logits_in(net.folder / "y.npy");
  CHECK(std::equal(got.begin(), got.end(), expected.begin(), expected.end()));

  const std::string x = net.folder / "x.npy";
  const std::string out = net.folder / "none.npy";
  for (const auto& [arguments, message] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--input", "other=" + x, "--output", out}, "the network's are: input"},
           {{"--input", x, "--input", x, "--output", out}, "no free input"},
           {{"--input", x, "--output", "other=" + out}, "the network's are: logits"},
           {{"--input", out, "--output", out}, "no such file"}}) {
    std::vector<std::string> all{"run", net.model};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Result result = octet_command(all);
    INFO(result.err);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says(message));
  }
  CHECK_FALSE(net.folder.has("none.npy"));
}

TEST_CASE("command: info tells what is inside") {
  const Converted net;
  const auto json = octet_command({"info", net.model, "--json"}).json();
  CHECK(json["bytes"] == std::filesystem::file_size(net.model));
  CHECK(json["metadata"]["producer"] == "octet 0.1.0");
  CHECK(json["metadata"]["source"] == "net.onnx");
  const std::string onnx = net.folder.read("net.onnx");
  CHECK(json["metadata"]["source_sha256"] == data::sha256_hex(onnx.data(), onnx.size()));
  CHECK(json["metadata"]["calibration"] == "minmax, 96 samples");
  const std::string calibration = random_bytes(5, kTrain * kPixels);
  CHECK(json["metadata"]["calibration_sha256"] ==
        data::sha256_hex(calibration.data(), calibration.size()));
  CHECK(json["inputs"][0]["dtype"] == "u8");
  CHECK(json["inputs"][0]["mean"] == 0.5);
  CHECK(json["inputs"][0]["std"] == 0.25);
  CHECK(json["outputs"][0]["shape"] == std::vector<int>{-1, 4});
  std::vector<std::string> ops;
  for (const auto& node : json["nodes"]) ops.push_back(node["op"]);
  CHECK(ops == std::vector<std::string>{"reshape", "linear", "linear"});
  CHECK(json["nodes"][1]["clip_min"] == 0);
  CHECK(json["nodes"][1]["output"]["scale"].get<double>() > 0);
  // 12 * 16 + 4 * 12 weights; a scale and a bias for 12 + 4 channels.
  CHECK(json["parameter_bytes"] == 240 + 16 * 8);
  CHECK(json["multiply_adds"] == 240);
  CHECK(json["arena_bytes"].get<int>() > 0);
  const Result text = octet_command({"info", net.model});
  CHECK(text.out.find("MEAN,STD = 0.5,0.25") != std::string::npos);
  CHECK(text.out.find("fc1") != std::string::npos);

  const auto original = octet_command({"info", net.onnx, "--json"}).json();
  CHECK(original["opset"] == 13);
  CHECK(original["nodes"].size() == 4);
  CHECK(original["simplified_nodes"].size() == 3);
  CHECK(octet_command({"info", net.onnx}).out.find("simplified: 3 nodes") != std::string::npos);
}

TEST_CASE("command: verify finds one hash, that of the library's bytes") {
  const Converted net;
  const Model model = Model::load(net.model);
  const auto inputs = command::synthetic_inputs(model, 256);
  std::vector<float> outputs(256 * kClasses);
  Session session(model);
  REQUIRE(session.run(input(inputs[0]), output(outputs), 256) == OCTET_OK);
  const std::string hash = data::sha256_hex(outputs.data(), outputs.size() * sizeof(float));

  const Result result = octet_command({"verify", net.model});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(result.out.ends_with("all equal: " + hash + "\n"));
  for (const auto* table : kernels::tables()) {
    const bool shown = result.out.find(std::string("\n") + table->name + " ") != std::string::npos;
    CHECK(shown == kernels::runs_here(*table, kernels::detect_cpu()));
  }

  const auto expected = data::read_npy([&] {
    const auto pixels = test_pixels();
    const auto p = write_array(net.folder, "p.npy", ArrayType::u8, {kTest, 16},
                               std::as_bytes(std::span(pixels)));
    octet_command({"run", net.model, "--input", p, "--output", net.folder / "v.npy"});
    return net.folder / "v.npy";
  }());
  const Result on_data =
      octet_command({"verify", net.model, "--data", net.folder.path(), "--limit", "9"});
  CHECK(on_data.out.ends_with(
      "all equal: " + data::sha256_hex(expected.data.data(), 9 * kClasses * sizeof(float)) + "\n"));
}

TEST_CASE("command: synthetic inputs are SplitMix64's bytes") {
  const Converted net;
  const Model model = Model::load(net.model);
  const auto inputs = command::synthetic_inputs(model, 1);
  // The first two numbers of SplitMix64 with seed 0: e220a8397b1dcdaf, 6e789e6aa1b965f4.
  const std::uint8_t expected[16] = {0xaf, 0xcd, 0x1d, 0x7b, 0x39, 0xa8, 0x20, 0xe2,
                                     0xf4, 0x65, 0xb9, 0xa1, 0x6a, 0x9e, 0x78, 0x6e};
  REQUIRE(inputs[0].size() == 16);
  CHECK(std::memcmp(inputs[0].data(), expected, 16) == 0);
}

TEST_CASE("command: bench's figures fit together") {
  const Converted net;
  const auto json =
      octet_command({"bench", net.model, "--batch", "3", "--isa", "scalar", "--json"}).json();
  CHECK(json["isa"] == "scalar");
  CHECK(json["threads"] == 1);
  CHECK(json["batch"] == 3);
  CHECK(json["input"] == "uint8");
  const double median = json["latency_us_median"];
  CHECK(median > 0);
  CHECK(json["latency_us_p99"].get<double>() > 0);
  CHECK(json["images_per_s"].get<double>() == doctest::Approx(3e6 / median));
  CHECK(json["gops"].get<double>() ==
        doctest::Approx(2e-9 * 240 * json["images_per_s"].get<double>()));
  const Result unknown = octet_command({"bench", net.model, "--isa", "nonsense"});
  CHECK(fails_cleanly(unknown, 1));
  CHECK(unknown.says("scalar"));
}

TEST_CASE("command: cpu shows the tables and obeys OCTET_ISA") {
  const auto json = octet_command({"cpu", "--json"}, "OCTET_ISA=").json();
  const auto cpu = kernels::detect_cpu();
  CHECK(json["chosen"] == kernels::best_table(cpu).name);
  CHECK(json["tables"].size() == kernels::tables().size());
  CHECK(octet_command({"cpu", "--json"}, "OCTET_ISA=scalar").json()["chosen"] == "scalar");
  const Result unknown = octet_command({"cpu"}, "OCTET_ISA=nonsense");
  CHECK(fails_cleanly(unknown, 1));
  CHECK(unknown.says("scalar"));
}

namespace {

// The network of net converted again, to the same file.
Result convert_again(const Converted& net, const std::vector<std::string>& options) {
  std::vector<std::string> all{"convert", net.onnx,      "-o",
                               net.model, "--calibrate", net.folder.path()};
  all.insert(all.end(), options.begin(), options.end());
  return octet_command(all);
}

}  // namespace

TEST_CASE("command: every way to convert runs, and eval agrees with it") {
  const Converted net;
  for (const auto& options : std::vector<std::vector<std::string>>{
           {"--weights", "per-tensor"},
           {"--symmetric"},
           {"--calibration", "percentile", "--percentile", "99.5"},
           {"--calibration", "mse"},
           {"--equalize"},
           {"--calibration", "entropy", "--symmetric"},
           {"--calibration", "auto", "--percentile", "99.5"},
           {"--samples", "10"},
           {"--keep-float", "fc2"},
           {"--auto"},
           {"--mode", "weight-only"},
           {"--mode", "dynamic"},
           {"--mode", "dynamic", "--weights", "per-tensor", "--keep-float", "fc1"},
           {"--mode", "weight-only", "--weight-bits", "4", "--group-size", "5"},
           {"--normalize", net.normalize, "--symmetric", "--weights", "per-tensor"}}) {
    const Result result = convert_again(net, options);
    INFO(result.err);
    REQUIRE(result.status == 0);
    CHECK((result.out.find("equalization ") != std::string::npos) ==
          (options[0] == "--equalize" || options[0] == "--auto"));
    const auto eval = octet_command(
        {"eval", net.model, "--data", net.folder.path(), "--float", net.onnx, "--json"});
    INFO(eval.err);
    REQUIRE(eval.status == 0);
    const bool coarse = std::ranges::find(options, "--weight-bits") != options.end();
    CHECK(eval.json()["sqnr_db"].get<double>() > (coarse ? 15 : 20));
    CHECK(octet_command({"verify", net.model, "--limit", "20"}).status == 0);
  }
}

TEST_CASE("command: size counts by the rule of thumb and to the byte") {
  const auto says = [](const std::vector<std::string>& arguments, const std::string& text) {
    const Result result = octet_command(arguments);
    INFO(result.err);
    CHECK(result.status == 0);
    CAPTURE(result.out);
    CHECK(result.out.find(text) != std::string::npos);
  };
  says({"size", "--params", "70e9"}, "70,000,000,000 * 4 / (32 / 32) * 1.2 = 336 GB");
  const std::vector<std::string> four{"size",         "--params", "70e9",       "--bits", "4",
                                      "--group-size", "32",       "--overhead", "1"};
  says(four, "* 4 / (32 / 4) * 1 = 35 GB");
  says(four, " 8,750,000,000 bytes  a float for every 32 weights");
  says(four, "43,750,000,000 bytes  5 bits per weight");
  const Converted net;
  says({"size", net.onnx}, "= 240 * 4 / (32 / 32) * 1.2 = 1.152 KB");
  says({"size", net.model}, " 240 bytes  240 weights of 8 bits");
  says({"size", net.model}, " 64 bytes  of weights");
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"size"},
                                             {"size", net.model, "--params", "1"},
                                             {"size", "--params", "0"},
                                             {"size", "--params", "nan"},
                                             {"size", "--params", "1", "--bits", "0"}}) {
    CHECK(fails_cleanly(octet_command(wrong), 2));
  }
  CHECK(fails_cleanly(octet_command({"size", net.folder / "none.octet"}), 1));
}

TEST_CASE("command: --auto keeps what it measured to be better, and nodes in float to --max-drop") {
  const Converted net;
  const auto sqnr = [&] {
    return octet_command({"info", net.model, "--json"}).json()["metadata"]["sqnr_db"];
  };
  const auto convert = [&](const std::vector<std::string>& options) {
    Result result = convert_again(net, options);
    INFO(result.err);
    REQUIRE(result.status == 0);
    return result;
  };
  convert({});
  const double plain = std::stod(sqnr().get<std::string>());
  const Result repaired = convert({"--auto"});
  CHECK(std::stod(sqnr().get<std::string>()) >= plain);
  for (const char* step :
       {"equalization ", "calibration auto ", "clipping of weights ", "bias correction "}) {
    CHECK(repaired.out.find(step) != std::string::npos);
  }
  const std::string bytes = net.folder.read("net.octet");
  convert({"--auto"});
  CHECK(net.folder.read("net.octet") == bytes);
  CHECK(convert({"--auto", "--max-drop", "100"}).out.find("holds without a float node") !=
        std::string::npos);
  const Result without = octet_command(
      {"convert", net.onnx, "-o", net.model, "--calibrate", net.folder.path(), "--max-drop", "1"});
  CHECK(fails_cleanly(without, 2));
  const Result unknown = convert_again(net, {"--keep-float", "fc1,fc7"});
  CHECK(fails_cleanly(unknown, 1));
  CHECK(
      unknown.says("has no linear node 'fc7' to keep in float; its linear nodes are 'fc1', 'fc2'"));
}

}  // namespace octet::test::command_test
