// SPDX-License-Identifier: Apache-2.0
// What the octet command writes: all of it or nothing, and messages of one line.
#include <doctest/doctest.h>

#include "tests/tools/converted.h"

namespace octet::test::command_output_test {
namespace {

// The command with its report going where nothing can be written.
Result with_full_stdout(const std::string& arguments) {
  const TemporaryFolder folder;
  const std::string line =
      std::string(OCTET_COMMAND) + " " + arguments + " >/dev/full 2>'" + (folder / "err") + "'";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, "", folder.read("err")};
}

}  // namespace

TEST_CASE("command: where the report cannot be written, no file is new") {
  const Converted net;
  const std::string out = net.folder / "out";
  net.folder.write("old", "old");
  const std::string old = net.folder / "old";
  const std::size_t files = net.folder.files();
  const std::string x = "'" + (net.folder / "x.npy") + "'";
  const std::string data = "'" + net.folder.path() + "'";
  const std::string model = "'" + net.model + "'";
  const std::string onnx = "'" + net.onnx + "'";
  for (const std::string& file : {out, old}) {
    for (const std::string& arguments :
         {"convert " + onnx + " --calibrate " + data + " --normalize 0.5,0.25 -o '" + file + "'",
          "convert " + onnx + " --mode dynamic -o '" + file + "'",
          "run " + model + " --input " + x + " --output '" + file + "'",
          "embed " + model + " --header '" + file + ".h' -o '" + file + "'",
          "compare " + model + " " + onnx + " --data " + data + " --html '" + file + "'"}) {
      const Result result = with_full_stdout(arguments);
      CAPTURE(arguments);
      CHECK(fails_cleanly(result, 1));
      CHECK(result.says("octet: standard output cannot be written"));
      CHECK(net.folder.files() == files);
      CHECK(net.folder.read("old") == "old");
    }
  }
}

TEST_CASE("command: a device is no file to write, a full disk leaves the old one") {
  const Converted net;
  const Result device =
      octet_command({"convert", net.onnx, "-o", "/dev/full", "--mode", "dynamic"});
  CHECK(fails_cleanly(device, 1));
  CHECK(device.says("/dev/full: is no regular file"));

  // Writing beyond a process's limit would end it by a signal. A build that counts what it reaches
  // would complain of its own file.
  const std::string before = net.folder.read("net.octet");
  const std::size_t files = net.folder.files();
  const Result large =
      octet_command({"convert", net.onnx, "-o", net.model, "--mode", "weight-only"},
                    "ulimit -f 1; LLVM_PROFILE_FILE=/dev/null");
  INFO(large.err);
  CHECK(fails_cleanly(large, 1));
  CHECK(large.says("net.octet: cannot be written: File too large"));
  CHECK(net.folder.files() == files);
  CHECK(net.folder.read("net.octet") == before);
}

TEST_CASE("command: a missing file is told in the same words everywhere") {
  const TemporaryFolder folder;
  const std::string model = folder / "none.octet";
  const std::string onnx = folder / "none.onnx";
  const std::string npy = folder / "none.npy";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"info", model},
           {"bench", model},
           {"verify", model},
           {"size", model},
           {"eval", model, "--data", npy},
           {"embed", model, "-o", folder / "x.o"},
           {"compare", model, onnx, "--data", npy},
           {"run", model, "--input", npy, "--output", folder / "y.npy"},
           {"info", onnx},
           {"size", onnx},
           {"eval", onnx, "--data", npy},
           {"convert", onnx, "-o", folder / "x.octet"}}) {
    const Result result = octet_command(arguments);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.err == "octet: " + arguments[1] + ": there is no such file; check the path\n");
  }
}

TEST_CASE("command: a message is one line whatever a name holds") {
  const TemporaryFolder folder;
  const std::string name = folder / "two\nlines\x1b[31m\xe9.octet";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"info", name}, {"bench", name}, {"convert", name, "-o", folder / "x.octet"}}) {
    const Result result = octet_command(arguments);
    INFO(result.err);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says("two\\x0alines\\x1b[31m\\xe9.octet: "));
  }
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"two\nlines"}, {"info", "a", "two\nlines"}}) {
    const Result result = octet_command(arguments);
    INFO(result.err);
    CHECK(fails_cleanly(result, 2));
    CHECK(result.says("two\\x0alines"));
  }
  const Result letters = octet_command({"info", folder / "zwölf 字.octet"});
  CHECK(letters.says("zwölf 字.octet: there is no such file"));
}

}  // namespace octet::test::command_output_test
