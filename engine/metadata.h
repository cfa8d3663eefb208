// SPDX-License-Identifier: Apache-2.0
// The only way to FlatBuffers and to the code that flatc makes of model.fbs. Both are compiled in a
// namespace of octet's own, so that an app may link another version of FlatBuffers. What
// FlatBuffers includes comes first: the renaming must not reach it.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(FLATBUFFERS_H_)
#error "engine/metadata.h must come before any header of FlatBuffers"
#endif
#define flatbuffers octet_flatbuffers
#include "engine/model_generated.h"
namespace octet::engine {
// A FlatBuffer is smaller than 2 GiB.
inline constexpr std::uint64_t kMaxMetadataBytes = FLATBUFFERS_MAX_BUFFER_SIZE - 1;
}  // namespace octet::engine
#undef flatbuffers
