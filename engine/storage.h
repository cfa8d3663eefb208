// SPDX-License-Identifier: Apache-2.0
// Owner of what the steps of a model point to: parameters of any type and packed arrays.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/arena.h"

namespace octet::engine {

class Storage {
 public:
  template <class T>
  const T* keep(T value) {
    auto kept = std::make_shared<const T>(std::move(value));
    kept_.push_back(kept);
    return kept.get();
  }

  // Zero-filled, 64-byte aligned.
  template <class T>
  T* array(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    arrays_.push_back(AlignedBuffer::zeros(count * sizeof(T)));
    return reinterpret_cast<T*>(arrays_.back().data());
  }

 private:
  std::vector<std::shared_ptr<const void>> kept_;
  std::vector<AlignedBuffer> arrays_;
};

}  // namespace octet::engine
