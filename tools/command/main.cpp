// SPDX-License-Identifier: Apache-2.0
// The octet command.
#include "tools/command/command.h"

int main(int argc, char** argv) {
  return octet::command::run(argc, argv);
}
