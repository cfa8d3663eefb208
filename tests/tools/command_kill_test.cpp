// SPDX-License-Identifier: Apache-2.0
// A converter that is killed: at whatever moment, the model is the old one or the new one. 20
// kills that come before its end; OCTET_TEST_KILLS=N makes it N.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/tools/shell.h"
#include "tests/tools/small_network.h"

namespace octet::test::command_kill_test {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

int kills() {
  const char* given = std::getenv("OCTET_TEST_KILLS");
  return given != nullptr ? std::max(1, std::atoi(given)) : 20;
}

// 784 x 256 x 10: large enough that writing it is a part of the time.
OnnxBuilder network() {
  OnnxBuilder builder;
  builder.input("x", {-1, 784}).output("y");
  builder.floats("w1", {784, 256}, random_floats(1, 784 * 256)).floats("b1", {256}, Floats(256));
  builder.floats("w2", {256, 10}, random_floats(2, 256 * 10));
  builder.node("Gemm", {"x", "w1", "b1"}, {"h"}).node("Relu", {"h"}, {"r"});
  return builder.node("MatMul", {"r", "w2"}, {"y"});
}

// The command as a process that can be killed.
pid_t start(const std::string& arguments) {
  const std::string line = std::string("exec ") + OCTET_COMMAND + arguments + " >/dev/null 2>&1";
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  REQUIRE(child > 0);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("command: convert killed at any moment leaves the old model or the new one") {
  const TemporaryFolder folder;
  const std::string onnx = network().write(folder);
  const std::string model = folder / "net.octet";
  const std::string convert = " convert '" + onnx + "' -o '" + model + "' --mode ";
  const auto made_by = [&](const std::string& mode) {
    REQUIRE(wait_for(start(convert + mode)) == 0);
    return folder.read("net.octet");
  };
  const std::string old_bytes = made_by("weight-only");
  double seconds = 1e9;
  std::string new_bytes;
  for (int i = 0; i < 3; ++i) {
    const auto begin = Clock::now();
    new_bytes = made_by("dynamic");
    seconds = std::min(seconds, Seconds(Clock::now() - begin).count());
  }
  REQUIRE(old_bytes != new_bytes);

  data::SplitMix64 random(7);
  int old_files = 0;
  int new_files = 0;
  int killed = 0;
  const int wanted = kills();
  int runs = 0;
  for (; killed < wanted; ++runs) {
    REQUIRE(runs < 20 * wanted);
    folder.write("net.octet", old_bytes);
    // Half of the moments anywhere, half towards the end, where the file is written and renamed.
    const double part = static_cast<double>(random.next() >> 11) * 0x1p-53;
    const double moment = seconds * (runs % 2 == 0 ? 1.2 * part : 0.7 + 0.5 * part);
    const pid_t child = start(convert + "dynamic");
    std::this_thread::sleep_for(Seconds(moment));
    ::kill(child, SIGKILL);
    killed += WIFSIGNALED(wait_for(child)) ? 1 : 0;
    const std::string left = folder.read("net.octet");
    REQUIRE((left == old_bytes || left == new_bytes));
    (left == old_bytes ? old_files : new_files) += 1;
    // The network, the model, and what this process left; what those before left is gone.
    REQUIRE(folder.files() <= 3);
  }
  MESSAGE(runs << " runs of " << seconds << " s, " << killed << " killed before their end: "
               << old_files << " old models, " << new_files << " new ones");
  CHECK(old_files > 0);
  CHECK(new_files > 0);
  CHECK(made_by("dynamic") == new_bytes);
  CHECK(folder.files() == 2);
}

}  // namespace octet::test::command_kill_test
