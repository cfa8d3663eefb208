// SPDX-License-Identifier: Apache-2.0
// Reads each malformed file and compares its message with the one that it must give.
//   octet_malformed     prints each fault with its message; exits with 1 if one is not as it must
//   be
#include "tests/faults/malformed.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "tests/engine/model_bytes.h"
#include "tools/convert/model_writer.h"

namespace octet::test {

std::string parse(std::span<const std::byte> file, const octet_limits& limits) {
  const octet_load_options options{"scalar", 0, limits};  // the arena depends on the table
  octet_model* model = nullptr;
  octet_error error{};
  const octet_status status =
      octet_model_parse(file.data(), file.size(), "net.octet", &options, &model, &error);
  octet_model_free(model);
  return status == OCTET_OK ? "ok" : std::string(octet_status_name(status)) + ": " + error.message;
}

MalformedFiles of_graph(GraphBuilder (*valid)(), const std::vector<GraphFault>& faults) {
  MalformedFiles files;
  for (const GraphFault& fault : faults) {
    const bool has_status = fault.message.find(": net.octet: ") != std::string::npos;
    files.push_back({fault.name,
                     [valid, make = fault.make] {
                       GraphBuilder b = valid();
                       make(b);
                       return parse(convert::write_model(b.graph));
                     },
                     (has_status ? "" : "format: net.octet: ") + fault.message});
  }
  return files;
}

}  // namespace octet::test

namespace {

using namespace octet::test;

class Corpus {
 public:
  void run(const char* kind, const MalformedFiles& files) {
    std::printf("%s: %zu\n", kind, files.size());
    for (const Malformed& file : files) check(file);
    faults_ += files.size();
  }

  int report() const {
    std::printf("%zu malformed files, %zu messages, %zu not as they must be\n", faults_,
                first_.size(), wrong_);
    return wrong_ == 0 ? 0 : 1;
  }

 private:
  void check(const Malformed& file) {
    const std::string said = file.read();
    std::printf("  %s: %s\n", file.name.c_str(), said.c_str());
    if (said != file.message) fail("must say", file.message);
    if (!names_.insert(file.name).second) fail("has the name of another", file.name);
    const auto class_of = [](const std::string& name) { return name.substr(0, name.find('/')); };
    const auto [first, is_new] = first_.emplace(said, file.name);
    if (!is_new && class_of(first->second) != class_of(file.name)) {
      fail("says the same as", first->second);
    }
  }

  void fail(const char* what, const std::string& text) {
    std::printf("    WRONG, %s: %s\n", what, text.c_str());
    ++wrong_;
  }

  std::size_t faults_ = 0;
  std::size_t wrong_ = 0;
  std::set<std::string> names_;
  std::map<std::string, std::string> first_;  // the first fault of each message
};

}  // namespace

int main() {
  Corpus corpus;
  corpus.run("header", header_faults());
  corpus.run("metadata", metadata_faults());
  corpus.run("tensors", tensor_faults());
  corpus.run("nodes", node_faults());
  corpus.run("ops", op_faults());
  corpus.run("linear ops", linear_faults());
  corpus.run("limits", limit_faults());
  corpus.run("the file itself", file_faults());
  corpus.run(".npy", npy_faults());
  corpus.run("IDX", idx_faults());
  return corpus.report();
}
