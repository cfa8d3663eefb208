// SPDX-License-Identifier: Apache-2.0
// What a reader of data files says of bytes in a file that is called data.
#pragma once

#include <string>

#include "tests/engine/test_error.h"
#include "tests/tools/temporary_folder.h"

namespace octet::test {

template <class Read>
std::string read_data(const std::string& bytes, Read read) {
  const TemporaryFolder folder;
  const std::string path = folder.write("data", bytes);
  std::string said = error_of([&] { read(path); });
  for (std::size_t at; (at = said.find(path)) != std::string::npos;) {
    said.replace(at, path.size(), "data");
  }
  return said;
}

}  // namespace octet::test
