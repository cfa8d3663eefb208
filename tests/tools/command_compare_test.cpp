// SPDX-License-Identifier: Apache-2.0
// octet compare: its figures are those of eval and of plain counting, its page is whole and safe.
#include <doctest/doctest.h>

#include <octet/octet.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/inspect.h"
#include "tests/tools/converted.h"
#include "tests/tools/float_graph.h"
#include "tests/tools/onnx_builder.h"
#include "tools/command/comparison.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/simplify.h"

namespace octet::test::command_compare_test {
namespace {

using command::Comparison;
using command::NodeComparison;

Comparison compare(const Converted& net, const std::string& model) {
  convert::Graph graph = convert::import_onnx(net.onnx);
  convert::simplify(graph);
  const auto dataset =
      data::load_dataset(net.folder.path(), {data::Half::test, 1, data::Labels::where_given});
  return command::compare_networks(engine::read_graph(model).graph, model, graph, dataset,
                                   net.normalization);
}

// Converted with ranges that leave out one in a hundred values on either side.
std::string clipped_model(const Converted& net) {
  const std::string model = net.folder / "clipped.octet";
  const Result result = octet_command({"convert", net.onnx, "-o", model, "--calibrate",
                                       net.folder.path(), "--normalize", net.normalize,
                                       "--calibration", "percentile", "--percentile", "90"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  return model;
}

}  // namespace

TEST_CASE("compare: the outputs' figures are those of eval") {
  const Converted net;
  const Comparison comparison = compare(net, net.model);
  const auto eval =
      octet_command({"eval", net.model, "--data", net.folder.path(), "--float", net.onnx, "--json"})
          .json();
  CHECK(comparison.total.samples() == kTest);
  CHECK(comparison.total.accuracy() == eval["accuracy"].get<double>());
  CHECK(comparison.total.agreement() == eval["agreement"].get<double>());
  CHECK(std::abs(comparison.total.sqnr_db() - eval["sqnr_db"].get<double>()) < 1e-9);
  CHECK(comparison.flips.size() ==
        static_cast<std::size_t>(std::lround((1 - comparison.total.agreement()) * kTest)));
  CHECK(comparison.unmatched.empty());
  CHECK(comparison.classes == kClasses);
  REQUIRE(comparison.nodes.size() == 3);  // a view and two linears
  const NodeComparison& last = comparison.nodes.back();
  CHECK(last.sqnr_db == comparison.total.sqnr_db());
  CHECK(last.cosine > 0.999);
  // Pixels are exact but for the last bits of a float.
  CHECK(comparison.nodes[0].op == "reshape");
  CHECK(comparison.nodes[0].sqnr_db > 100);
  CHECK(comparison.nodes[0].alone.flips == 0);
}

TEST_CASE("compare: left out is what --keep-float brings, alone what it costs") {
  const Converted net;
  const Comparison comparison = compare(net, net.model);
  for (const NodeComparison& node : comparison.nodes) {
    if (node.op != "linear") continue;
    CAPTURE(node.name);
    const std::string model = net.folder / "kept.octet";
    REQUIRE(octet_command({"convert", net.onnx, "-o", model, "--calibrate", net.folder.path(),
                           "--normalize", net.normalize, "--keep-float", node.name})
                .status == 0);
    CHECK(std::abs(compare(net, model).total.sqnr_db() - node.left_out.sqnr_db) < 0.5);
    CHECK(node.alone.sqnr_db > comparison.total.sqnr_db());
  }
}

TEST_CASE("compare: dynamic and weight-only models are imitated too") {
  const Converted net;
  for (const std::vector<std::string>& mode : std::vector<std::vector<std::string>>{
           {"--mode", "dynamic"}, {"--mode", "weight-only", "--weight-bits", "4"}}) {
    CAPTURE(mode[1]);
    const std::string model = net.folder / "mode.octet";
    std::vector<std::string> arguments{"convert", net.onnx,      "-o",
                                       model,     "--normalize", net.normalize};
    arguments.insert(arguments.end(), mode.begin(), mode.end());
    REQUIRE(octet_command(arguments).status == 0);
    const Comparison whole = compare(net, model);
    std::vector<const NodeComparison*> linears;
    for (const NodeComparison& node : whole.nodes) {
      if (node.op.ends_with("linear")) linears.push_back(&node);
    }
    REQUIRE(linears.size() == 2);
    // Of two nodes, all but one is the other alone, and the pixels, which are exact but for the
    // last bits of a float.
    CHECK(std::abs(linears[0]->left_out.sqnr_db - linears[1]->alone.sqnr_db) < 1e-3);
    CHECK(std::abs(linears[1]->left_out.sqnr_db - linears[0]->alone.sqnr_db) < 1e-3);
    CHECK(linears[0]->alone.sqnr_db > whole.total.sqnr_db());
    CHECK(linears[1]->alone.sqnr_db > whole.total.sqnr_db());
  }
}

// y = x + fc(x), through which x goes unrounded.
TEST_CASE("compare: what a linear reads through its codes, others read as it is") {
  const TemporaryFolder folder;
  OnnxBuilder builder;
  const auto weights = Random(6).uniform(64, -0.5f, 0.5f);
  builder.input("x", {-1, 8}).output("y").floats("w", {8, 8}, weights);
  builder.node("MatMul", {"x", "w"}, {"product"}, {}, "fc").node("Add", {"x", "product"}, {"y"});
  const std::string onnx = builder.write(folder);
  const auto values = Random(7).uniform(8 * 50, -2, 2);
  const auto data =
      write_array(folder, "x.npy", data::ArrayType::f32, {50, 8}, std::as_bytes(std::span(values)));
  const std::string model = folder / "net.octet";
  convert::Graph graph = convert::import_onnx(onnx);
  convert::simplify(graph);
  data::DatasetRequest request;
  request.inputs = 1;
  request.labels = data::Labels::none;
  const auto dataset = data::load_dataset(data, request);
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"--mode", "dynamic"}, {"--mode", "weight-only"}, {"--calibrate", data}}) {
    CAPTURE(options[1]);
    std::vector<std::string> arguments{"convert", onnx, "-o", model};
    arguments.insert(arguments.end(), options.begin(), options.end());
    REQUIRE(octet_command(arguments).status == 0);
    const Comparison comparison =
        command::compare_networks(engine::read_graph(model).graph, model, graph, dataset, {});
    const auto fc = std::ranges::find(comparison.nodes, "fc", &NodeComparison::name);
    REQUIRE(fc != comparison.nodes.end());
    CHECK(std::abs(fc->alone.sqnr_db - comparison.total.sqnr_db()) < 0.01);  // of the one int8 node
    CHECK(std::isinf(fc->left_out.sqnr_db));
  }
}

TEST_CASE("compare: sums are numbers") {
  const TemporaryFolder folder;
  OnnxBuilder builder;
  builder.input("x", {-1, 2}).output("y").output("sums").floats("s", {}, {0.5F}).u8("z", {}, {0});
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"q"}).s8("w", {2, 2}, {1, 2, 3, 4});
  builder.node("MatMulInteger", {"q", "w"}, {"sums"});
  builder.node("Cast", {"sums"}, {"y"}, {attribute("to", int{onnx::TensorProto::FLOAT})});
  const std::string onnx = builder.write(folder);
  const std::string model = folder / "net.octet";
  REQUIRE(octet_command({"convert", onnx, "-o", model}).status == 0);
  const std::vector<float> values{1, 2, 3, 4};
  const auto data =
      write_array(folder, "x.npy", data::ArrayType::f32, {2, 2}, std::as_bytes(std::span(values)));
  convert::Graph graph = convert::import_onnx(onnx);
  convert::simplify(graph);
  const auto dataset = data::load_dataset(data, {data::Half::test, 1, data::Labels::none});
  const Comparison comparison =
      command::compare_networks(engine::read_graph(model).graph, model, graph, dataset, {});
  std::size_t sums = 0;
  for (const NodeComparison& node : comparison.nodes) {
    if (node.dtype != engine::DType::s32) continue;
    ++sums;
    CHECK(std::isinf(node.sqnr_db));  // the same
    CHECK(node.values.high == 44);    // 6 * 2 + 8 * 4
  }
  CHECK(sums == 1);
}

TEST_CASE("compare: a first output that no node makes is an error") {
  const TemporaryFolder folder;
  OnnxBuilder builder;
  builder.input("x", {-1, 2}).output("x").output("y").floats("w", {2, 2}, {1, 2, 3, 4});
  builder.node("MatMul", {"x", "w"}, {"y"}, {}, "fc");
  const std::string onnx = builder.write(folder);
  const std::string model = folder / "net.octet";
  REQUIRE(octet_command({"convert", onnx, "-o", model, "--mode", "dynamic"}).status == 0);
  const std::vector<float> values{1, 2, 3, 4};
  const auto data =
      write_array(folder, "x.npy", data::ArrayType::f32, {2, 2}, std::as_bytes(std::span(values)));
  const Result result = octet_command({"compare", model, onnx, "--data", data});
  CHECK(fails_cleanly(result, 1));
  CHECK(result.says("its first output 'x' is not that of"));
}

TEST_CASE("compare: what the codes say, use, clip and waste") {
  const Converted net;
  const Comparison plain = compare(net, net.model);
  const Comparison clipped = compare(net, clipped_model(net));
  const auto node = [](const Comparison& comparison, const char* name) {
    const auto found = std::ranges::find(comparison.nodes, name, &NodeComparison::name);
    REQUIRE(found != comparison.nodes.end());
    return *found;
  };
  const NodeComparison whole = node(plain, "fc1");
  const NodeComparison narrow = node(clipped, "fc1");
  CHECK(whole.lowest == 0);  // after Relu
  CHECK(narrow.highest < whole.highest);
  CHECK(narrow.clipped > 0.01);
  CHECK(narrow.clipped > whole.clipped);
  CHECK(narrow.used == 1);
  CHECK(narrow.sqnr_db < whole.sqnr_db);
  // The codes are those that fc2 takes.
  CHECK(node(clipped, "fc2").alone.sqnr_db < node(plain, "fc2").alone.sqnr_db);
  CHECK(narrow.alone.sqnr_db == whole.alone.sqnr_db);
  CHECK(whole.wasted < 0.25);  // the data reach less far than those that it was calibrated on
  std::uint64_t values = 0;
  for (const auto n : whole.values.counts) values += n;
  CHECK(values == kTest * 12);
  std::uint64_t weights = 0;
  for (const auto n : whole.weights.counts) weights += n;
  CHECK(weights == 12 * 16);
}

TEST_CASE("compare: codes for negative values are wasted behind Relu; accumulators by hand") {
  const Converted net;
  const std::string model = net.folder / "symmetric.octet";
  REQUIRE(octet_command({"convert", net.onnx, "-o", model, "--calibrate", net.folder.path(),
                         "--normalize", net.normalize, "--symmetric"})
              .status == 0);
  const Comparison comparison = compare(net, model);
  const engine::LoadedGraph loaded = engine::read_graph(model);
  for (std::size_t i = 0; i < loaded.graph.nodes.size(); ++i) {
    const engine::Node& node = loaded.graph.nodes[i];
    if (node.op != engine::OpType::linear) continue;
    const auto weights = loaded.graph.tensors[node.inputs[1]].data;
    const auto biases = loaded.graph.tensors[node.inputs[3]].data;
    // Pixels reach from 0 to 255; s8 codes from -128 around 0.
    const std::int64_t reach =
        loaded.graph.tensors[node.inputs[0]].dtype == engine::DType::u8 ? 255 : 128;
    std::int64_t largest = 0;
    for (std::size_t m = 0; m < biases.size() / 4; ++m) {
      std::int32_t bias;
      std::memcpy(&bias, biases.data() + 4 * m, 4);
      std::int64_t sum = std::abs(std::int64_t{bias});
      const std::size_t k = weights.size() / (biases.size() / 4);
      for (std::size_t j = 0; j < k; ++j) {
        sum += reach * std::abs(static_cast<std::int8_t>(weights[m * k + j]));
      }
      largest = std::max(largest, sum);
    }
    CHECK(comparison.nodes[i].accumulator == static_cast<double>(largest) / 2147483648.0);
    if (node.name == "fc1") CHECK(comparison.nodes[i].wasted > 0.49);
  }
}

TEST_CASE("compare: an equalized model is compared with the equalized network") {
  const Converted net;
  const std::string model = net.folder / "equalized.octet";
  const Result converted =
      octet_command({"convert", net.onnx, "-o", model, "--calibrate", net.folder.path(),
                     "--normalize", net.normalize, "--equalize"});
  REQUIRE(converted.status == 0);
  for (const NodeComparison& node : compare(net, model).nodes) CHECK(node.sqnr_db > 25);
}

TEST_CASE("compare: the page stands alone, escapes names, and is the same each time") {
  const Converted net;
  OnnxBuilder builder = small_network();
  builder.model.mutable_graph()->mutable_node(1)->set_name("<b>&\"fc1\"");
  const std::string onnx = builder.write(net.folder, "odd.onnx");
  const std::string model = net.folder / "odd.octet";
  REQUIRE(octet_command({"convert", onnx, "-o", model, "--calibrate", net.folder.path(),
                         "--normalize", net.normalize})
              .status == 0);
  const auto page = [&](const std::string& name) {
    const Result result = octet_command(
        {"compare", model, onnx, "--data", net.folder.path(), "--html", net.folder / name});
    INFO(result.err);
    REQUIRE(result.status == 0);
    CHECK(result.out.find("agreement") != std::string::npos);
    return net.folder.read(name);
  };
  const std::string html = page("a.html");
  CHECK(html.starts_with("<!doctype html>"));
  CHECK(html.ends_with("</body></html>\n"));
  CHECK(html.find("&lt;b&gt;&amp;&quot;fc1&quot;") != std::string::npos);
  for (const char* forbidden :
       {"<b>&\"fc1\"", "<script", "http:", "https:", "src=", "url(", "nan", "-inf"}) {
    CAPTURE(forbidden);
    CHECK(html.find(forbidden) == std::string::npos);
  }
  std::size_t drawn = 0;  // values of three nodes, weights of two
  for (std::size_t at = 0; (at = html.find("<figcaption>", at)) != std::string::npos; ++at) ++drawn;
  CHECK(drawn == 5);
  CHECK(page("b.html") == html);
}

TEST_CASE("compare: other networks and missing files are errors") {
  const Converted net;
  const auto fails = [&](const std::vector<std::string>& arguments, const std::string& text) {
    std::vector<std::string> all{"compare"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Result result = octet_command(all);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says(text));
  };
  fails({net.model, net.model, "--data", net.folder.path()}, "a file that ends in .onnx");
  OnnxBuilder other;
  other.input("x", {-1, 16}).output("y").node("Relu", {"x"}, {"y"});
  fails({net.model, other.write(net.folder, "other.onnx"), "--data", net.folder.path()},
        "give the float network that the model was made from");
  fails({net.model, net.onnx, "--data", net.folder / "none"}, "none");
  std::vector<float> values(16 * 2, 0.5f);
  values[20] = std::numeric_limits<float>::infinity();
  const auto bad = write_array(net.folder, "bad.npy", data::ArrayType::f32, {2, 16},
                               std::as_bytes(std::span(values)));
  fails({net.model, net.onnx, "--data", bad}, "sample 1 gives");
  fails({net.model, net.onnx, "--data", net.folder.path(), "--html", net.folder / "no/r.html"},
        "r.html");
  CHECK_FALSE(net.folder.has("r.html"));
}

}  // namespace octet::test::command_compare_test
