// SPDX-License-Identifier: Apache-2.0
// What the import of one ONNX file may take. Whoever made the file chose its numbers, so nothing is
// taken before it is counted against these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octet::convert {

// A file that goes beyond one of them is refused with octet::Error (limit).
struct ImportLimits {
  // Of the file, protobuf's messages, all constants and the float graph, at their peak; so that the
  // whole program stays below 1 GiB.
  std::uint64_t memory_bytes = std::uint64_t{960} << 20;
  std::size_t nesting = 64;        // messages inside messages; protobuf ends at 100
  std::size_t values = 2 * 65536;  // tensors of the float graph; a model may have 65,536 in the end
  std::size_t reported_nodes = 100;  // refused nodes in one message
};

}  // namespace octet::convert
