// SPDX-License-Identifier: Apache-2.0
// Runs the octet command as a user does, by the shell, and catches what it prints.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/temporary_folder.h"

namespace octet::test {

struct Result {
  int status = -1;  // the exit status; -1 if a signal ended it
  std::string out;
  std::string err;
  bool says(const std::string& part) const { return err.find(part) != std::string::npos; }
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

// environment: "NAME=value", or nothing.
inline Result octet_command(const std::vector<std::string>& arguments,
                            const std::string& environment = "") {
  const TemporaryFolder folder;
  std::string line = environment + " " + OCTET_COMMAND;
  for (const std::string& argument : arguments) line += " '" + argument + "'";
  line += " >'" + (folder / "out") + "' 2>'" + (folder / "err") + "'";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, folder.read("out"), folder.read("err")};
}

// What every failure promises: the status, one line on stderr, nothing on stdout.
inline bool fails_cleanly(const Result& result, int status) {
  return result.status == status && result.out.empty() && result.err.starts_with("octet: ") &&
         result.err.find('\n') == result.err.size() - 1;
}

}  // namespace octet::test
