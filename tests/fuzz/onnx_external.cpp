// SPDX-License-Identifier: Apache-2.0
// External data: any location, offset and length. Every file that the process opens meanwhile must
// lie in the model's folder, links followed.
#include <dlfcn.h>
#include <fcntl.h>
#include <octet/octet.h>
#include <onnx/onnx.pb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <utility>

#include "tests/fuzz/fuzz.h"
#include "tools/convert/onnx_import.h"

using namespace octet::fuzz;
namespace fs = std::filesystem;

namespace {

// The folder while the importer runs, else empty.
std::string watched;
std::size_t opened = 0;  // meanwhile

// flags: of open(); with O_NOFOLLOW a link at the end is opened itself, or not at all.
void check_path(const fs::path& path, int flags = 0) {
  if (watched.empty()) return;
  ++opened;
  const std::string folder = std::exchange(watched, {});
  std::error_code error;
  const bool follows = (flags & O_NOFOLLOW) == 0;
  fs::path real = fs::canonical(follows ? path : path.parent_path(), error);
  if (!follows) real /= path.filename();
  if (!error && !real.string().starts_with(folder + "/") && !fs::is_directory(real)) {
    finding("opens " + real.string());
  }
  watched = folder;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// What a location may lead to: files in the folder, links and files beside it.
class Folder {
 public:
  Folder() {
    root_ = fs::temp_directory_path() / ("octet_fuzz_" + std::to_string(getpid()));
    const fs::path outside = root_ / "outside";
    folder_ = root_ / "model";
    fs::create_directories(folder_ / "sub");
    fs::create_directories(outside);
    for (const fs::path& path :
         {folder_ / "w", folder_ / "sub" / "w", outside / "w", root_ / "w"}) {
      std::ofstream(path) << std::string(64, 'x');
    }
    std::ofstream(folder_ / "empty").flush();
    fs::create_symlink(outside / "w", folder_ / "out");
    fs::create_directory_symlink(outside, folder_ / "outdir");
    fs::create_symlink("w", folder_ / "in");
    fs::create_symlink("loop", folder_ / "loop");
    fs::create_symlink("missing", folder_ / "dangling");
    mkfifo((folder_ / "pipe").c_str(), 0600);
    model_.open(model(), std::ios::binary);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  std::string model() const { return folder_ / "net.onnx"; }
  void write_model(const std::string& bytes) {
    fs::resize_file(model(), bytes.size());
    model_.seekp(0);
    model_ << bytes << std::flush;
  }
  std::string real() const { return fs::canonical(folder_).string(); }
  std::string outside() const { return (root_ / "outside" / "w").string(); }

 private:
  fs::path root_;
  fs::path folder_;
  std::ofstream model_;  // stays open: opening a file takes longest
};

// Parts that matter, joined as the input says, and bytes of its own.
std::string draw_location(Reader& input, const std::string& outside) {
  const std::string parts[] = {"w",
                               "..",
                               ".",
                               "sub",
                               "outside",
                               "/",
                               "//",
                               "out",
                               "outdir",
                               "in",
                               "loop",
                               "pipe",
                               "empty",
                               outside,
                               "model",
                               "dangling",
                               "/proc/self/fd/0",
                               "/dev/zero",
                               std::string(1, '\0'),
                               "\\",
                               "~",
                               "net.onnx"};
  std::string location;
  for (std::size_t i = 0, count = input.below(6); i < count; ++i) {
    if (input.below(8) == 0) {
      for (std::size_t j = 0, bytes = input.below(12); j < bytes; ++j) {
        location += static_cast<char>(input.byte());
      }
    } else {
      if (i > 0 && input.flag()) location += '/';
      location += parts[input.below(std::size(parts))];
    }
  }
  return location;
}

std::string draw_size(Reader& input) {
  constexpr const char* kSizes[] = {"0",
                                    "8",
                                    "16",
                                    "56",
                                    "64",
                                    "65",
                                    "-1",
                                    "18446744073709551615",
                                    "9223372036854775807",
                                    "",
                                    " 8",
                                    "8 ",
                                    "0x8",
                                    "1e3",
                                    "18446744073709551616"};
  const std::size_t which = input.below(std::size(kSizes) + 2);
  if (which < std::size(kSizes)) return kSizes[which];
  return std::to_string(input.value<std::uint16_t>() % 100);
}

onnx::ModelProto make_model(Reader& input, const std::string& outside) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  onnx::ValueInfoProto& x = *graph.add_input();
  x.set_name("x");
  onnx::TypeProto::Tensor& type = *x.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  type.mutable_shape()->add_dim()->set_dim_value(2);
  onnx::TensorProto& w = *graph.add_initializer();
  w.set_name("w");
  w.set_data_type(onnx::TensorProto::FLOAT);
  w.set_data_location(onnx::TensorProto::EXTERNAL);
  constexpr std::int64_t kRows[] = {2,         2, 2, 2, 0, 8, 1 << 20, std::int64_t{1} << 40,
                                    INT64_MAX, -1};
  w.add_dims(kRows[input.below(std::size(kRows))]);
  w.add_dims(input.below(8) == 0 ? INT64_MAX : 1);
  const auto add = [&](const char* key, const std::string& value) {
    onnx::StringStringEntryProto& entry = *w.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  add("location", draw_location(input, outside));
  if (input.flag()) add("offset", draw_size(input));
  if (input.flag()) add("length", draw_size(input));
  if (input.below(8) == 0) add("location", draw_location(input, outside));
  if (input.below(8) == 0) add("offset", draw_size(input));
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type("MatMul");
  node.add_input("x");
  node.add_input("w");
  node.add_output("y");
  graph.add_output()->set_name("y");
  return model;
}

}  // namespace

// The C library's functions, watched, for libstdc++ too.
#define WATCHED extern "C" __attribute__((visibility("default")))
WATCHED FILE* fopen(const char* path, const char* mode) {
  check_path(path);
  return next<decltype(&fopen)>("fopen")(path, mode);
}
WATCHED FILE* fopen64(const char* path, const char* mode) {
  check_path(path);
  return next<decltype(&fopen64)>("fopen64")(path, mode);
}
WATCHED int open(const char* path, int flags, ...) {
  check_path(path, flags);
  std::va_list list;
  va_start(list, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(list, int) : 0;
  va_end(list);
  return next<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}
WATCHED int open64(const char* path, int flags, ...) {
  check_path(path, flags);
  std::va_list list;
  va_start(list, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(list, int) : 0;
  va_end(list);
  return next<int (*)(const char*, int, ...)>("open64")(path, flags, mode);
}

WATCHED int openat(int folder, const char* path, int flags, ...) {
  const bool relative = *path != '/' && folder != AT_FDCWD;
  check_path(relative ? "/proc/self/fd/" + std::to_string(folder) + "/" + path : path, flags);
  std::va_list list;
  va_start(list, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(list, int) : 0;
  va_end(list);
  return next<int (*)(int, const char*, int, ...)>("openat")(folder, path, flags, mode);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count imported("imported");
  static Folder folder;
  ++inputs;
  Reader input({data, size});
  const std::string bytes = make_model(input, folder.outside()).SerializeAsString();
  folder.write_model(bytes);
  try {
    watched = folder.real();
    opened = 0;
    octet::convert::import_onnx(folder.model());
    ++imported;
  } catch (const octet::Error& error) {
    expect(*error.what() != '\0', "an error without a message");
  }
  watched.clear();
  expect(opened > 0, "nobody saw how the model was opened");
  return 0;
}
