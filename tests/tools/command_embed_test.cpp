// SPDX-License-Identifier: Apache-2.0
// octet embed: the object read back by ELF's rules, the header, and what is refused. That programs
// link and run with it tests/consumer/run.sh shows.
#include <doctest/doctest.h>
#include <elf.h>

#include <cstring>

#include "tests/tools/shell.h"
#include "tests/tools/small_network.h"
#include "tools/command/elf_object.h"

namespace octet::test::command_embed_test {
namespace {

struct Object {
  std::string bytes;

  template <class T>
  T at(std::size_t offset) const {
    T value;
    REQUIRE(offset + sizeof value <= bytes.size());
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
  Elf64_Ehdr header() const { return at<Elf64_Ehdr>(0); }
  Elf64_Shdr section(std::size_t i) const {
    return at<Elf64_Shdr>(header().e_shoff + i * sizeof(Elf64_Shdr));
  }
  std::string content(const Elf64_Shdr& section) const {
    return bytes.substr(section.sh_offset, section.sh_size);
  }
  std::string text(const Elf64_Shdr& strings, std::size_t offset) const {
    return std::string(bytes.c_str() + strings.sh_offset + offset);
  }
};

Object embed(const std::string& bytes, const std::string& name, command::Machine machine) {
  const auto file = command::elf_object(std::as_bytes(std::span(bytes)), name, machine);
  return {std::string(reinterpret_cast<const char*>(file.data()), file.size())};
}

std::string make_model(const TemporaryFolder& folder) {
  const std::string model = folder / "net.octet";
  const std::string onnx = small_network().write(folder);
  REQUIRE(octet_command({"convert", onnx, "-o", model, "--mode", "dynamic"}).status == 0);
  return model;
}

}  // namespace

TEST_CASE("elf_object: sections, one hidden symbol, the bytes at their alignment") {
  for (const std::string& bytes : {std::string("x"), std::string(1000, 'q') + "end"}) {
    const Object object = embed(bytes, "digits", command::Machine::aarch64);
    const Elf64_Ehdr header = object.header();
    CHECK(object.bytes.substr(0, 4) == "\177ELF");
    CHECK(header.e_type == ET_REL);
    CHECK(header.e_machine == EM_AARCH64);
    REQUIRE(header.e_shnum == 6);
    CHECK(object.bytes.size() == header.e_shoff + 6 * sizeof(Elf64_Shdr));
    const Elf64_Shdr names = object.section(header.e_shstrndx);
    const std::vector<std::string> expected{"",        ".rodata", ".note.GNU-stack",
                                            ".symtab", ".strtab", ".shstrtab"};
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(object.text(names, object.section(i).sh_name) == expected[i]);
    }
    const Elf64_Shdr data = object.section(1);
    CHECK(object.content(data) == bytes);
    CHECK(data.sh_addralign == 64);
    CHECK(data.sh_offset % 64 == 0);
    CHECK(data.sh_flags == SHF_ALLOC);  // neither written nor executed
    const Elf64_Shdr symbols = object.section(3);
    REQUIRE(symbols.sh_size == 2 * sizeof(Elf64_Sym));
    const auto symbol = object.at<Elf64_Sym>(symbols.sh_offset + sizeof(Elf64_Sym));
    CHECK(object.text(object.section(symbols.sh_link), symbol.st_name) == "digits");
    CHECK(symbol.st_size == bytes.size());
    CHECK(symbol.st_shndx == 1);
    CHECK(symbol.st_other == STV_HIDDEN);
    CHECK(symbol.st_info == ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT));
  }
  CHECK(embed("x", "a", command::Machine::x86_64).header().e_machine == EM_X86_64);
}

TEST_CASE("command: embed writes the model's bytes and a header that names them") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  REQUIRE(octet_command({"embed", model, "-o", folder / "my-net.2.o", "--header", folder / "n.h"})
              .status == 0);
  const Object object{folder.read("my-net.2.o")};
  const std::string bytes = folder.read("net.octet");
  CHECK(object.content(object.section(1)) == bytes);
  const std::string header = folder.read("n.h");
  CHECK(header.find("extern const unsigned char my_net_2[" + std::to_string(bytes.size()) + "];") !=
        std::string::npos);
  CHECK(header.find("net.octet, SHA-256 ") != std::string::npos);
}

TEST_CASE("command: embed refuses what is no model, no name, or its own input") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  const auto fault = [&](const std::vector<std::string>& arguments, const std::string& reason) {
    std::vector<std::string> all{"embed"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Result result = octet_command(all);
    CHECK(fails_cleanly(result, 1));
    CHECK(result.says(reason));
  };
  std::string damaged = folder.read("net.octet");
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  const auto out = folder / "out.o";
  fault({folder.write("damaged.octet", damaged), "-o", out}, "damaged.octet");
  fault({folder / "net.onnx", "-o", out}, "net.onnx");
  fault({folder / "none.octet", "-o", out}, "none.octet");
  fault({model, "-o", model}, "net.octet");
  fault({model, "-o", out, "--header", out}, "-o and --header are one file");
  for (const char* name : {"1a", "a b", "a-b", "\"; int x = \""}) {
    fault({model, "-o", out, "--name", name}, "is no C identifier");
  }
  CHECK_FALSE(folder.has("out.o"));
}

}  // namespace octet::test::command_embed_test
