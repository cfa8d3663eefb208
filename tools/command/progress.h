// SPDX-License-Identifier: Apache-2.0
// A progress bar for work that may take more than a second; silent unless stderr is a terminal.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace octet::command {

// Where a bar is drawn. `now` gives seconds from any start.
struct Terminal {
  std::FILE* out;
  bool interactive;
  double (*now)();
};
Terminal stderr_terminal() noexcept;

// Draws "label [=====>    ] 42 %" over itself, from the first half second on, and clears it in the
// end, so that a log or a fast run shows nothing.
class Progress {
 public:
  Progress(std::string label, std::size_t total, const Terminal& terminal = stderr_terminal());
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // done of total steps; more than total counts as total.
  void update(std::size_t done);

 private:
  std::string label_;
  std::size_t total_;
  Terminal terminal_;
  double next_draw_;
  std::size_t drawn_ = 0;  // characters on the line
};

}  // namespace octet::command
