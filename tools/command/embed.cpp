// SPDX-License-Identifier: Apache-2.0
// octet embed: a model as an object file, so that a program needs no file beside it.
#include <cctype>
#include <filesystem>
#include <string>

#include "engine/errors.h"
#include "engine/mapped_file.h"
#include "engine/model_file.h"
#include "tools/command/command.h"
#include "tools/command/elf_object.h"
#include "tools/command/output_file.h"
#include "tools/command/print.h"
#include "tools/data/sha256.h"

namespace octet::command {
namespace {

bool is_identifier(const std::string& name) {
  if (name.empty() || (std::isdigit(static_cast<unsigned char>(name[0])) != 0)) return false;
  for (const char c : name) {
    if (c != '_' && (std::isalnum(static_cast<unsigned char>(c)) == 0)) return false;
  }
  return true;
}

// Of the object's file name: "out/my-net.o" is my_net.
std::string default_name(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return is_identifier(name) ? name : "model_" + name;
}

std::string header_text(const EmbedOptions& options, const std::string& name,
                        std::span<const std::byte> bytes) {
  const std::string object = std::filesystem::path(options.output).filename().string();
  return engine::message(
      "/* ", std::filesystem::path(options.model).filename().string(), ", SHA-256 ",
      data::sha256_hex(bytes.data(), bytes.size()), ". Link ", object,
      ", then:\n *   octet_model_parse(", name, ", sizeof ", name, ", \"", name,
      "\", NULL, &model, &error) */\n#ifndef OCTET_EMBED_", name, "_H\n#define OCTET_EMBED_", name,
      "_H\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", "extern const unsigned char ", name,
      "[", bytes.size(), "];\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

}  // namespace

void run_embed(const EmbedOptions& options) {
  const std::string name = options.name.empty() ? default_name(options.output) : options.name;
  if (!is_identifier(name)) {
    engine::fail(Error::Code::argument, options.model, ": --name '", name,
                 "' is no C identifier; take letters, digits and _, no digit first");
  }
  check_output(options.output, "-o", options.model, {});
  if (!options.header.empty()) {
    check_output(options.header, "--header", options.model, {});
    if (same_file(options.output, options.header)) {
      engine::fail(Error::Code::argument, options.header,
                   ": -o and --header are one file; give two");
    }
  }
  const engine::MappedFile file(options.model, engine::MappedFile::Mode::copy,
                                engine::Limits{}.file_bytes);
  engine::parse_model(file.bytes(), options.model, {}, engine::Owner::caller);  // checks all of it
  const Machine machine = options.machine == "aarch64" ? Machine::aarch64 : Machine::x86_64;
  const auto object = elf_object(file.bytes(), name, machine);
  OutputFiles files;
  if (!options.header.empty()) files.add(options.header, header_text(options, name, file.bytes()));
  files.add(options.output, object);
  std::printf("%s -> %s: %s[%zu], for %s\n", options.model.c_str(), options.output.c_str(),
              name.c_str(), file.bytes().size(), options.machine.c_str());
  files.commit();
}

}  // namespace octet::command
