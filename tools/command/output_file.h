// SPDX-License-Identifier: Apache-2.0
// Finding out before the work that its result cannot be written, or would destroy what it is made
// of.
#pragma once

#include <span>
#include <string>

namespace octet::command {

// path: where option's file shall go. network and inputs: files that the command reads. Throws
// octet::Error with the remedy if path is none, a folder, no regular file, in a folder that does
// not exist, or one of those.
void check_output(const std::string& path, const char* option, const std::string& network,
                  std::span<const std::string> inputs);

// Whether both paths lead to one file, which need not exist.
bool same_file(const std::string& a, const std::string& b);

}  // namespace octet::command
