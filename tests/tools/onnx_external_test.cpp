// SPDX-License-Identifier: Apache-2.0
// External data: read beneath the model's folder, and nothing that leads out of it.
#include "tools/convert/onnx_external.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "engine/errors.h"
#include "tests/tools/onnx_builder.h"
#include "tools/convert/open_beneath.h"

namespace octet::test::onnx_external_test {

using octet::Error;

namespace {

namespace fs = std::filesystem;

// y = x * w + 0 with w [1, 2] in an external file.
OnnxBuilder external(const std::string& location, const std::optional<std::string>& offset = {},
                     const std::optional<std::string>& length = {}) {
  onnx::TensorProto weight = tensor("w", onnx::TensorProto::FLOAT, {1, 2});
  weight.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto set = [&](const std::string& key, const std::string& value) {
    onnx::StringStringEntryProto& entry = *weight.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  set("location", location);
  if (offset) set("offset", *offset);
  if (length) set("length", *length);
  OnnxBuilder builder;
  builder.input("x", {-1, 1}).initializer(weight).output("y").node("MatMul", {"x", "w"}, {"y"});
  return builder;
}

const Floats kValues{9, 3, 4, 9};
std::string data() {
  return {reinterpret_cast<const char*>(kValues.data()), kValues.size() * sizeof(float)};
}

Floats weights(const TemporaryFolder& folder, const OnnxBuilder& builder,
               const std::string& name = "net.onnx") {
  return octet::convert::import_onnx(builder.write(folder, name)).nodes.at(0).weight;
}

Failure failure(const TemporaryFolder& folder, const OnnxBuilder& builder,
                const std::string& name = "net.onnx") {
  return failure_of([&] { weights(folder, builder, name); });
}

}  // namespace

TEST_CASE("external data: offset and length, in the folder and beneath it") {
  const TemporaryFolder folder;
  folder.write("w.bin", data());
  CHECK(weights(folder, external("w.bin", "4", "8")) == Floats{3, 4});
  CHECK(weights(folder, external("w.bin", "4")) == Floats{3, 4});
  CHECK(weights(folder, external("w.bin")) == Floats{9, 3});
  CHECK(weights(folder, external("./w.bin", "8")) == Floats{4, 9});
  fs::create_directory(folder / "sub");
  folder.write("sub/w.bin", data());
  CHECK(weights(folder, external("sub/w.bin", "8")) == Floats{4, 9});
  fs::create_symlink("w.bin", folder / "link.bin");
  CHECK(weights(folder, external("link.bin", "8")) == Floats{4, 9});
}

TEST_CASE("external data: each way out of the model's folder has its own refusal") {
  const TemporaryFolder folder;
  const std::string secret = folder.write("w.bin", data());
  fs::create_directory(folder / "inner");
  fs::create_directory(folder / "inner/sub");
  // A sibling whose name begins like the folder's is outside too.
  fs::create_directory(folder / "inner2");
  folder.write("inner2/w.bin", data());
  folder.write("inner/here.bin", data());
  const auto link = [&](const std::string& name, const std::string& target) {
    fs::create_symlink(target, folder / ("inner/" + name));
  };
  link("link.bin", "../w.bin");
  link("up", "..");
  link("absolute.bin", secret);
  link("sibling.bin", "../inner2/w.bin");
  link("sub/out.bin", "../../w.bin");
  link("chain.bin", "sub/out.bin");
  link("circle.bin", "circle2.bin");
  link("circle2.bin", "./circle.bin");
  link("zero", "/dev/zero");
  link("root", "/");
  link("process", "/proc/self/cwd");
  REQUIRE(::mkfifo((folder / "inner/pipe").c_str(), 0600) == 0);
  // No way in here may so much as open the file outside.
  const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  REQUIRE(watch >= 0);
  const std::uint32_t events = IN_OPEN | IN_ACCESS | IN_CLOSE;
  REQUIRE(::inotify_add_watch(watch, secret.c_str(), events) >= 0);
  REQUIRE(::inotify_add_watch(watch, (folder / "inner2/w.bin").c_str(), events) >= 0);
  REQUIRE(::inotify_add_watch(watch, (folder / "inner/pipe").c_str(), events) >= 0);

  struct Form {
    std::string location;
    const char* message;
    Error::Code code = Error::Code::format;
  };
  const std::vector<Form> forms{
      {"", "in '', an empty path; only files beneath the model's folder are read"},
      {"..", "in '..', a path with '..' in it; only files beneath"},
      {"../w.bin", "in '../w.bin', a path with '..' in it; only files beneath"},
      {"x/../../w.bin", "in 'x/../../w.bin', a path with '..' in it"},
      {"./..//w.bin", "in './..//w.bin', a path with '..' in it"},
      {"sub/../../w.bin", "in 'sub/../../w.bin', a path with '..' in it"},
      {secret, "', an absolute path; only files beneath the model's folder are read"},
      {"//etc/passwd", "in '//etc/passwd', an absolute path"},
      {"/proc/self/cwd/w.bin", "in '/proc/self/cwd/w.bin', an absolute path"},
      {"here.bin/", "in 'here.bin/', which ends in a slash and so is a folder"},
      {".", "in '.', a folder; name a file in it", Error::Code::io},
      {".//./", "in './/./', which ends in a slash"},
      {"sub", "in 'sub', a folder; name a file in it", Error::Code::io},
      {"here.bin/w.bin", "which passes through 'here.bin', no folder"},
      {std::string("here.bin\0/../w.bin", 18), "in '(not printable)', with a NUL inside"},
      {"here\n\x1b[31m.bin", "in '(not printable)', which cannot be read", Error::Code::io},
      {std::string(5000, 'x'), "in '(5000 bytes)', of 5000 bytes"},
      {std::string(300, 'x'), "in '(300 bytes)', which cannot be read: File name too long",
       Error::Code::io},
      {"..\\w.bin", "in '..\\w.bin', which cannot be read: No such file", Error::Code::io},
      {"%2e%2e/w.bin", "in '%2e%2e/w.bin', which cannot be read: No such file", Error::Code::io},
      {"..%2fw.bin", "in '..%2fw.bin', which cannot be read: No such file", Error::Code::io},
      {"~/w.bin", "in '~/w.bin', which cannot be read: No such file", Error::Code::io},
      {"file:///etc/passwd", "in 'file:///etc/passwd', which cannot be read", Error::Code::io},
      {"missing.bin",
       "which cannot be read: No such file or directory; copy the file beside the model",
       Error::Code::io},
      {"link.bin", "in 'link.bin', a link that leaves the model's folder"},
      {"up/w.bin", "in 'up/w.bin', a link that leaves the model's folder"},
      {"absolute.bin", "in 'absolute.bin', a link that leaves the model's folder"},
      {"sibling.bin", "in 'sibling.bin', a link that leaves the model's folder"},
      {"chain.bin", "in 'chain.bin', a link that leaves the model's folder"},
      {"root/etc/passwd", "in 'root/etc/passwd', a link that leaves the model's folder"},
      {"process/w.bin", "in 'process/w.bin', a link that leaves the model's folder"},
      {"zero", "in 'zero', a link that leaves the model's folder"},
      {"circle.bin", "in 'circle.bin', a link that leads in a circle"},
      {"pipe", "in 'pipe', a pipe, not a regular file", Error::Code::io}};
  std::set<std::string> messages;
  for (const Form& form : forms) {
    CAPTURE(form.location);
    const Failure refused = failure(folder, external(form.location), "inner/net.onnx");
    CAPTURE(refused.message);
    CHECK(refused.code == form.code);
    CHECK(refused.says("net.onnx: initializer 'w' has its data in '"));
    CHECK(refused.says(form.message));
    CHECK(octet::engine::is_printable(refused.message));
    messages.insert(refused.message);
  }
  CHECK(messages.size() == forms.size());
  std::array<char, 4096> events_seen{};
  CHECK(::read(watch, events_seen.data(), events_seen.size()) == -1);
  CHECK(errno == EAGAIN);
  ::close(watch);

  // What only looks like a way out is a name like others.
  for (const char* name : {"..\\w.bin", "%2e%2e", "...", "..x", "a:b"}) {
    CAPTURE(name);
    folder.write(std::string("inner/") + name, data());
    CHECK(weights(folder, external(name, "4"), "inner/net.onnx") == Floats{3, 4});
  }
}

TEST_CASE("external data: a device beside the model is not opened") {
  const OnnxBuilder builder = external("zero");
  const onnx::TensorProto& tensor = builder.model.graph().initializer(0);
  const Failure refused =
      failure_of([&] { octet::convert::read_external_data(tensor, 8, "/dev/net.onnx", "w"); });
  CHECK(refused.code == Error::Code::io);
  CHECK(refused.says("has its data in 'zero', a device, not a regular file"));
}

TEST_CASE("external data: links beneath the folder lead where they say") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a/b");
  folder.write("a/b/w.bin", data());
  folder.write("w.bin", std::string(16, '\0'));
  fs::create_symlink("a/b", folder / "down");
  fs::create_symlink("../b/./w.bin", folder / "a/b/round.bin");
  fs::create_symlink("../../down/round.bin", folder / "a/b/far.bin");
  for (const char* location : {"a/b/w.bin", "a//b/./w.bin", "down/w.bin", "a/b/round.bin",
                               "down/round.bin", "a/b/far.bin"}) {
    CAPTURE(location);
    CHECK(weights(folder, external(location, "4")) == Floats{3, 4});
  }
  // ".." is the folder that the link lies in, not the one by whose name it was reached.
  fs::create_symlink("../w.bin", folder / "a/b/outer.bin");
  CHECK(failure(folder, external("down/outer.bin")).says("which cannot be read: No such file"));
}

TEST_CASE("external data: a link that is swapped in meanwhile does not lead out") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "inner/sub");
  fs::create_directory(folder / "outer");
  folder.write("inner/sub/w.bin", "in");
  folder.write("outer/w.bin", "out");
  fs::create_directory_symlink("../outer", folder / "inner/swap");
  fs::create_symlink("../../outer/w.bin", folder / "inner/sub/swap.bin");
  // A folder with a link to one, and a file with a link to one, again and again.
  for (const auto& [a, b] :
       {std::pair("inner/sub", "inner/swap"), std::pair("inner/sub/w.bin", "inner/sub/swap.bin")}) {
    std::atomic<bool> stop = false;
    std::thread swapper([&, one = folder / a, other = folder / b] {
      const auto exchange = [&] {
        ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
      };
      while (!stop) {
        exchange();
        exchange();
      }
    });
    int read = 0;
    int refused = 0;
    int outside = 0;
    // On a busy machine the swapper may not run, or sleep between its two exchanges, for a while.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const auto waits = [&] {
      return (read == 0 || refused == 0) && std::chrono::steady_clock::now() < end;
    };
    for (int i = 0; i < 4000 || waits(); ++i) {
      try {
        const octet::convert::RegularFile file(
            octet::convert::open_beneath(folder / "inner", "sub/w.bin", "w"), "w");
        (file.size() == 2 ? read : outside) += 1;
      } catch (const Error&) {
        ++refused;
      }
    }
    stop = true;
    swapper.join();
    CHECK(outside == 0);
    CHECK(read > 0);
    CHECK(refused > 0);
  }
}

TEST_CASE("external data: files that are not what they should be") {
  const TemporaryFolder folder;
  folder.write("w.bin", data());
  const Failure beyond = failure(folder, external("w.bin", "12"));
  CHECK(beyond.code == Error::Code::format);
  CHECK(beyond.says("has 16 bytes, too few for 8 at offset 12"));
  CHECK(failure(folder, external("w.bin", "18446744073709551612")).says("too few for 8"));
  CHECK(failure(folder, external("w.bin", "0", "12"))
            .says("has 12 bytes of external data, its shape needs 8"));
  CHECK(failure(folder, external("w.bin", "-4")).says("offset '-4', which is negative"));
  CHECK(failure(folder, external("w.bin", "0", "-8")).says("length '-8', which is negative"));
  CHECK(failure(folder, external("w.bin", "99999999999999999999")).says("more than 64 bits hold"));
  for (const char* bad : {"", "4x", "0x4", "+4", " 4", "4.0", "1e3"}) {
    CHECK(failure(folder, external("w.bin", bad)).says("which is no size"));
    CHECK(failure(folder, external("w.bin", "0", bad)).says("which is no size"));
  }
  const Failure hidden = failure(folder, external("w.bin", "4\x1b[2J"));
  CHECK(hidden.says("offset '(not printable)', which is no size"));
  // A file with a hole can be of any size, and a shape can ask for it.
  std::filesystem::resize_file(folder / "w.bin", std::uintmax_t{1} << 40);
  OnnxBuilder huge = external("w.bin");
  huge.model.mutable_graph()->mutable_initializer(0)->set_dims(1, std::int64_t{1} << 38);
  const Failure large = failure(folder, huge);
  CHECK(large.code == Error::Code::limit);
  CHECK(large.says("has the shape [1, 274877906944], too much for the "));
}

}  // namespace octet::test::onnx_external_test
