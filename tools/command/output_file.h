// SPDX-License-Identifier: Apache-2.0
// Finding out before the work that its result cannot be written, or would destroy what it is made
// of; and writing it so that a command that fails changes nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tools/convert/write_file.h"

namespace octet::command {

// path: where option's file shall go. network and inputs: files that the command reads. Throws
// octet::Error with the remedy if path is none, a folder, no regular file, in a folder that does
// not exist, or one of those.
void check_output(const std::string& path, const char* option, const std::string& network,
                  std::span<const std::string> inputs);

// Whether both paths lead to one file, which need not exist.
bool same_file(const std::string& a, const std::string& b);

// The files that a command makes. add() writes one under a temporary name, so that a full disk
// shows before anything is printed; commit() sees to it that what was printed is out, and only then
// gives all of them their names, one after the other. Both throw octet::Error (io): add() before
// any file is new, commit() before the one that its message names is.
class OutputFiles {
 public:
  void add(const std::string& path, std::span<const std::byte> bytes);
  void add(const std::string& path, const std::string& text);
  void commit();

 private:
  std::vector<convert::PendingFile> files_;
};

}  // namespace octet::command
