// SPDX-License-Identifier: Apache-2.0
// What hostile files cost: memory below the limit whatever is in them, and time in proportion to
// their size.
#include <doctest/doctest.h>
#include <malloc.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <limits>

#include "tests/tools/wire_bytes.h"
#include "tools/convert/simplify.h"

namespace octet::test::onnx_cost_test {

using octet::convert::ImportLimits;

namespace {

// A graph of `steps` steps; step adds a few nodes that go on from a name and gives the next.
using Step = std::string (*)(OnnxBuilder& builder, const std::string& from,
                             const std::string& name);
struct HostileGraph {
  const char* name;
  Step step;
  bool is_fan = false;  // every step goes on from x, and all are joined
  bool is_codes = false;

  std::string make(std::size_t steps) const {
    OnnxBuilder builder;
    builder.input("x", {-1, 2, 2})
        .output("y")
        .floats("two", {}, {2})
        .floats("quarter", {}, {0.25F});
    builder.u8("zero", {}, {3})
        .ints("begin", {0})
        .ints("end", {1})
        .ints("axis", {1})
        .ints("rows", {-1, 2, 2});
    builder.node("QuantizeLinear", {"x", "two", "zero"}, {"codes"});
    std::string last = is_codes ? "codes" : "x";
    std::vector<std::string> all;
    for (std::size_t i = 0; i < steps; ++i) {
      const std::string next = step(builder, last, "v" + std::to_string(i) + "_");
      all.push_back(next);
      if (!is_fan) last = next;
    }
    if (is_fan) {
      builder.node("Concat", all, {"y"}, {attribute("axis", 1)});
    } else {
      builder.node("Sigmoid", {last}, {"y"});
    }
    return builder.bytes();
  }
};

std::string unary(OnnxBuilder& builder, const char* op, const std::string& from,
                  const std::string& name) {
  builder.node(op, {from}, {name});
  return name;
}
std::string binary(OnnxBuilder& builder, const char* op, const std::string& from,
                   const char* constant, const std::string& name) {
  builder.node(op, {from, constant}, {name});
  return name;
}
std::string quantized(OnnxBuilder& builder, const char* op, const std::string& from,
                      const char* scale, const std::string& name) {
  builder.node(op, {from, scale, "zero"}, {name});
  return name;
}
std::string turned(OnnxBuilder& builder, const std::string& from, const std::string& name) {
  builder.node("Transpose", {from}, {name}, {attribute("perm", Ints{0, 2, 1})});
  return name;
}

std::vector<HostileGraph> hostile_graphs() {
  using B = OnnxBuilder;
  using S = const std::string&;
  return {
      {"clips", [](B& b, S from, S name) { return unary(b, "Relu", from, name); }},
      {"functions", [](B& b, S from, S name) { return unary(b, "Sigmoid", from, name); }},
      {"copies", [](B& b, S from, S name) { return unary(b, "Identity", from, name); }},
      {"affines", [](B& b, S from, S name) { return binary(b, "Mul", from, "two", name); }},
      {"affines and views",
       [](B& b, S from, S name) {
         return binary(b, "Mul", turned(b, from, name + "t"), "two", name);
       }},
      {"clips and views",
       [](B& b, S from, S name) { return unary(b, "Relu", turned(b, from, name + "t"), name); }},
      {"views",
       [](B& b, S from, S name) {
         return binary(b, "Reshape", turned(b, from, name + "t"), "rows", name);
       }},
      {"quantized and back",
       [](B& b, S from, S name) {
         return quantized(b, "DequantizeLinear",
                          quantized(b, "QuantizeLinear", from, "two", name + "q"), "two", name);
       }},
      {"requantized",
       [](B& b, S from, S name) {
         return quantized(b, "DequantizeLinear",
                          quantized(b, "QuantizeLinear", from, "two", name + "q"), "quarter", name);
       }},
      {"quantized views",
       [](B& b, S from, S name) {
         return quantized(
             b, "DequantizeLinear",
             quantized(b, "QuantizeLinear", turned(b, from, name + "t"), "two", name + "q"), "two",
             name);
       }},
      {"twins in a row",
       [](B& b, S from, S name) {
         const std::string one = quantized(b, "DequantizeLinear",
                                           quantized(b, "QuantizeLinear", from, "two", name + "q"),
                                           "quarter", name + "d");
         const std::string two = quantized(b, "DequantizeLinear",
                                           quantized(b, "QuantizeLinear", from, "two", name + "r"),
                                           "quarter", name + "e");
         b.node("Add", {one, two}, {name});
         return name;
       }},
      {"dead ends",
       [](B& b, S from, S name) {
         unary(b, "Relu", from, name);
         return from;
       }},
      {"many clips", [](B& b, S from, S name) { return unary(b, "Relu", from, name); }, true},
      {"many affines", [](B& b, S from, S name) { return binary(b, "Mul", from, "two", name); },
       true},
      {"many quantized",
       [](B& b, S from, S name) { return quantized(b, "QuantizeLinear", from, "two", name); },
       true},
      {"many dequantized",
       [](B& b, S from, S name) { return quantized(b, "DequantizeLinear", from, "two", name); },
       true, true},
      {"many twins",
       [](B& b, S from, S name) {
         return quantized(b, "DequantizeLinear",
                          quantized(b, "QuantizeLinear", from, "two", name + "q"), "two", name);
       },
       true},
      {"many quantized views",
       [](B& b, S from, S name) {
         return quantized(
             b, "DequantizeLinear",
             quantized(b, "QuantizeLinear", turned(b, from, name + "t"), "two", name + "q"), "two",
             name);
       },
       true}};
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Imports and simplifies, whatever comes of it.
bool import(const std::string& path, const ImportLimits& limits = {}) {
  try {
    convert::Graph graph = convert::import_onnx(path, limits);
    convert::simplify(graph);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Peak memory of this process in bytes, from /proc, counted anew; 0 where that cannot be.
bool forget_peak() {
  ::malloc_trim(0);
  std::ofstream clear("/proc/self/clear_refs");
  clear << 5;
  clear.close();
  return !clear.fail();
}
std::uint64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) * 1024;
  }
  return 0;
}

bool can_measure_memory() {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  return false;  // it keeps what is freed
#endif
#endif
  // An emulator's own memory would be counted too.
  return std::string(OCTET_COMMAND).find("qemu") == std::string::npos && forget_peak() &&
         status_bytes("VmHWM:") > 0;
}

// How much the process grew while it imported a file.
std::uint64_t growth(const std::string& path, const ImportLimits& limits) {
  forget_peak();
  const std::uint64_t before = status_bytes("VmRSS:");
  import(path, limits);
  return status_bytes("VmHWM:") - before;
}

}  // namespace

TEST_CASE("onnx cost: hostile files stay below the limit of memory") {
  if (!can_measure_memory()) {
    MESSAGE("SKIPPED: the memory of this process cannot be measured");
    return;
  }
  const TemporaryFolder folder;
  ImportLimits limits;
  limits.memory_bytes = std::uint64_t{6} << 20;
  const std::uint64_t slack = std::uint64_t{3}
                              << 20;  // the program itself, pages that malloc keeps
  for (const HostileFile& hostile : hostile_files()) {
    CAPTURE(std::string(hostile.name));
    // The largest that is let through, and one that is not.
    std::size_t bytes = 1 << 14;
    const auto write = [&] { return folder.write("net.onnx", hostile.make(bytes)); };
    while (bytes < (4U << 20) && !failure_of([&] {
                                    convert::import_onnx(write(), limits);
                                  }).says("more than the limit of"))
      bytes *= 2;
    CHECK(growth(write(), limits) < limits.memory_bytes + slack);
    bytes /= 2;
    CHECK(growth(write(), limits) < limits.memory_bytes + slack);
  }
  for (const HostileGraph& hostile : hostile_graphs()) {
    CAPTURE(std::string(hostile.name));
    for (const std::size_t steps : {1000U, 2000U}) {
      const std::string path = folder.write("net.onnx", hostile.make(steps));
      CHECK(growth(path, limits) < limits.memory_bytes + slack);
    }
  }
}

TEST_CASE("onnx cost: small files that ask for much memory do not get it") {
  const TemporaryFolder folder;
  const std::int64_t many = 1 << 18;
  const auto refused = [&](OnnxBuilder& builder) {
    ImportLimits limits;
    limits.memory_bytes = std::uint64_t{24} << 20;
    const std::string path = builder.output("y").write(folder);
    const bool measured = can_measure_memory();
    const std::uint64_t grown = growth(path, limits);
    if (measured) CHECK(grown < limits.memory_bytes + (3 << 20));
    const Failure failure = failure_of([&] { convert::import_onnx(path, limits); });
    CAPTURE(failure.message);
    CHECK(failure.code == Error::Code::limit);
  };
  const auto model = [&] {
    OnnxBuilder builder;
    builder.input("x", {-1, many}).ints("shape", {many}).node("ConstantOfShape", {"shape"}, {"c"});
    return builder;
  };
  {
    OnnxBuilder builder = model();  // a weight of its own for every product
    std::string last = "x";
    for (int i = 0; i < 100; ++i) {
      const std::string name = i == 99 ? "y" : "m" + std::to_string(i);
      builder.node("Add", {last, "c"}, {name});
      last = name;
    }
    refused(builder);
  }
  {
    OnnxBuilder builder = model();  // a constant for every node
    std::string last = "c";
    for (int i = 0; i < 100; ++i) {
      builder.node("Add", {last, "c"}, {"m" + std::to_string(i)});
      last = "m" + std::to_string(i);
    }
    builder.node("Add", {"x", last}, {"y"});
    refused(builder);
  }
  {
    OnnxBuilder builder;  // thousands of nodes for one
    builder.input("x", {-1, 4096}).ints("shape", {4096}).floats("one", {}, {1});
    builder.node("ConstantOfShape", {"shape"}, {"scale"},
                 {attribute("value", float_tensor("", {1}, {1}))});
    std::string last = "x";
    for (int i = 0; i < 40; ++i) {
      const std::string name = i == 39 ? "y" : "m" + std::to_string(i);
      builder.node("QuantizeLinear", {last, "scale"}, {name + "q"})
          .node("DequantizeLinear", {name + "q", "scale"}, {name});
      last = name;
    }
    refused(builder);
  }
}

TEST_CASE("onnx cost: a graph has so many tensors and no more") {
  ImportLimits limits;
  limits.values = 100;
  const TemporaryFolder folder;
  const HostileGraph clips = hostile_graphs().front();
  const auto failure = [&](std::size_t steps) {
    const std::string path = folder.write("net.onnx", clips.make(steps));
    return failure_of([&] { convert::import_onnx(path, limits); });
  };
  CHECK_FALSE(failure(98).thrown);  // x and y
  CHECK(failure(99).says("tensor 'y' is one more than the 100 that octet takes"));
}

TEST_CASE("onnx cost: time grows as the file does") {
  const TemporaryFolder folder;
  for (const HostileGraph& hostile : hostile_graphs()) {
    CAPTURE(std::string(hostile.name));
    const std::string small = folder.write("small.onnx", hostile.make(300));
    const std::string large = folder.write("large.onnx", hostile.make(2400));
    // Eight times as much may take a bit more than that; what is quadratic takes 64 times.
    double best = std::numeric_limits<double>::max();
    for (int attempt = 0; attempt < 4 && best > 32; ++attempt) {
      const double begin = cpu_seconds();
      REQUIRE(import(small));
      const double middle = cpu_seconds();
      REQUIRE(import(large));
      best = std::min(best, (cpu_seconds() - middle) / (middle - begin));
    }
    CHECK(best < 32);
  }
}

TEST_CASE("onnx cost: a long row of rewrites is made whole") {
  const TemporaryFolder folder;
  for (const HostileGraph& hostile : hostile_graphs()) {
    const std::string name = hostile.name;
    if (name != "clips" && name != "affines" && name != "views" && name != "quantized and back") {
      continue;
    }
    CAPTURE(name);
    convert::Graph graph = convert::import_onnx(folder.write("net.onnx", hostile.make(2000)));
    CHECK(graph.nodes.size() > 2000);
    convert::simplify(graph);
    CHECK(graph.nodes.size() <= 3);
  }
}

TEST_CASE("onnx cost: what a simplification follows is bounded, and what it leaves is right") {
  OnnxBuilder builder;  // samples of 4 many elements, from a file of a hundred bytes
  builder.input("x", {-1, 1 << 21, 2})
      .output("y")
      .floats("two", {}, {2})
      .floats("w", {2, 2}, {1, 2, 3, 4});
  builder.node("MatMul", {"x", "w"}, {"h"}).node("Mul", {"h", "two"}, {"y"});
  convert::Graph graph = builder.import();
  convert::simplify(graph);
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[1].op == convert::Op::affine);
  CHECK(graph.nodes[0].weight == Floats{1, 3, 2, 4});

  // Views without end between an affine and its linear.
  OnnxBuilder views;
  views.input("x", {-1, 2, 3}).output("y").floats("two", {}, {2}).floats("w", {3, 3}, Floats(9, 1));
  views.ints("rows", {-1, 2, 3}).node("Mul", {"x", "two"}, {"v0"});
  for (int i = 0; i < 5000; ++i) {
    const std::string to = "v" + std::to_string(i + 1);
    turned(views, "v" + std::to_string(i), to + "t");
    binary(views, "Reshape", to + "t", "rows", to);
  }
  views.node("MatMul", {"v5000", "w"}, {"y"});
  graph = views.import();
  convert::simplify(graph);
  CHECK(graph.nodes.front().op == convert::Op::affine);
}

}  // namespace octet::test::onnx_cost_test
