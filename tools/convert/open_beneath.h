// SPDX-License-Identifier: Apache-2.0
// Opening a file that a model names, and nothing outside its folder.
#pragma once

#include <string>

#include "tools/convert/regular_file.h"

namespace octet::convert {

// location, a path relative to folder, open for reading. Every part is opened on its own from the
// folder before it, and no link is followed by the system: its target is resolved in the same way.
// So nothing that is swapped in meanwhile leads out of the folder, and folders, pipes and devices
// are not opened at all. Throws octet::Error that begins with what: format where location is none
// of a file beneath folder, io where the file is missing or no regular one.
Descriptor open_beneath(const std::string& folder, const std::string& location,
                        const std::string& what);

}  // namespace octet::convert
