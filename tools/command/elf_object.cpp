// SPDX-License-Identifier: Apache-2.0
// The file in order: its header, the bytes, symbols, names, and the table of sections.
#include "tools/command/elf_object.h"

#include <elf.h>

#include <bit>
#include <cstring>

namespace octet::command {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are written as they lie here");

constexpr std::size_t kAlignment = 64;

class Writer {
 public:
  std::size_t append(const void* data, std::size_t bytes, std::size_t alignment) {
    file_.resize((file_.size() + alignment - 1) / alignment * alignment);
    const std::size_t start = file_.size();
    const auto* first = static_cast<const std::byte*>(data);
    file_.insert(file_.end(), first, first + bytes);
    return start;
  }
  void overwrite(const Elf64_Ehdr& header) { std::memcpy(file_.data(), &header, sizeof header); }
  std::vector<std::byte> take() { return std::move(file_); }

 private:
  std::vector<std::byte> file_;
};

}  // namespace

std::vector<std::byte> elf_object(std::span<const std::byte> bytes, const std::string& name,
                                  Machine machine) {
  // Section names, each at its offset; .note.GNU-stack asks for no executable stack.
  constexpr char kNames[] = "\0.rodata\0.note.GNU-stack\0.symtab\0.strtab\0.shstrtab";
  constexpr Elf64_Word kRodata = 1;
  constexpr Elf64_Word kStack = 9;
  constexpr Elf64_Word kSymtab = 25;
  constexpr Elf64_Word kStrtab = 33;
  constexpr Elf64_Word kShstrtab = 41;

  Elf64_Ehdr header{};
  Writer file;
  file.append(&header, sizeof header, 1);
  Elf64_Shdr sections[6] = {};
  const auto section = [&](std::size_t i, Elf64_Word section_name, Elf64_Word type,
                           const void* data, std::size_t size, std::size_t alignment) {
    sections[i].sh_name = section_name;
    sections[i].sh_type = type;
    sections[i].sh_offset = file.append(data, size, alignment);
    sections[i].sh_size = size;
    sections[i].sh_addralign = alignment;
  };
  section(1, kRodata, SHT_PROGBITS, bytes.data(), bytes.size(), kAlignment);
  sections[1].sh_flags = SHF_ALLOC;
  section(2, kStack, SHT_PROGBITS, nullptr, 0, 1);
  Elf64_Sym symbols[2] = {};
  symbols[1].st_name = 1;
  symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
  symbols[1].st_other = STV_HIDDEN;
  symbols[1].st_shndx = 1;
  symbols[1].st_size = bytes.size();
  section(3, kSymtab, SHT_SYMTAB, symbols, sizeof symbols, alignof(Elf64_Sym));
  sections[3].sh_link = 4;
  sections[3].sh_info = 1;  // the first global symbol
  sections[3].sh_entsize = sizeof(Elf64_Sym);
  const std::string strings = std::string(1, '\0') + name + '\0';
  section(4, kStrtab, SHT_STRTAB, strings.data(), strings.size(), 1);
  section(5, kShstrtab, SHT_STRTAB, kNames, sizeof kNames, 1);

  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = static_cast<Elf64_Half>(machine);
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shoff = file.append(sections, sizeof sections, alignof(Elf64_Shdr));
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = std::size(sections);
  header.e_shstrndx = 5;
  file.overwrite(header);
  return file.take();
}

}  // namespace octet::command
