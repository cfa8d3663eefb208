// SPDX-License-Identifier: Apache-2.0
// An object file that holds bytes, for the linker to put into a program's read-only data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace octet::command {

enum class Machine : std::uint16_t { x86_64 = 62, aarch64 = 183 };  // ELF's e_machine

// A relocatable 64-bit little-endian ELF file: name, a C identifier, is a hidden constant in
// .rodata at an address divisible by 64.
std::vector<std::byte> elf_object(std::span<const std::byte> bytes, const std::string& name,
                                  Machine machine);

}  // namespace octet::command
