// SPDX-License-Identifier: Apache-2.0
// The octet command.
#include <csignal>

#include "tools/command/command.h"

int main(int argc, char** argv) {
  // Beyond `ulimit -f` writing shall fail, with a message, rather than end the process.
  std::signal(SIGXFSZ, SIG_IGN);
  return octet::command::run(argc, argv);
}
