// SPDX-License-Identifier: Apache-2.0
// From an ONNX file to a model file: a float network, with what int8 cost on the calibration
// samples, or a quantized one, whose scales are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/command/command.h"
#include "tools/command/output_file.h"
#include "tools/convert/metrics.h"

namespace octet::command {

// What a conversion did.
struct ConvertReport {
  std::size_t imported_nodes = 0;
  std::size_t simplified_nodes = 0;
  std::size_t quantized_nodes = 0;
  std::uint64_t source_bytes = 0;
  std::uint64_t bytes = 0;         // of the model file
  std::vector<std::string> notes;  // what a user should know
  OutputFiles file;                // options.output, which commit() gives its name

  struct Measured {
    std::string calibration;  // see find_calibration
    std::size_t samples = 0;
    std::string data;          // the first input's file
    std::string output;        // the output that is compared
    convert::Evaluation cost;  // beside the float network on these samples
  };
  std::optional<Measured> measured;  // where there were data
};

// Prints nothing, but draws a progress bar unless options.tick is set. Throws octet::Error, and
// what options.tick throws. options.output is as it was until the report's file is committed.
ConvertReport convert_file(const ConvertOptions& options);

}  // namespace octet::command
