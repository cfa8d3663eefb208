// SPDX-License-Identifier: Apache-2.0
// Drawing of the progress bar.
#include "tools/command/progress.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace octet::command {
namespace {

constexpr double kFirstDraw = 0.5;
constexpr double kRedraw = 0.1;
constexpr std::size_t kWidth = 30;

}  // namespace

Terminal stderr_terminal() noexcept {
  return {stderr, ::isatty(STDERR_FILENO) == 1, [] {
            const auto time = std::chrono::steady_clock::now().time_since_epoch();
            return std::chrono::duration<double>(time).count();
          }};
}

Progress::Progress(std::string label, std::size_t total, const Terminal& terminal)
    : label_(std::move(label)),
      total_(std::max<std::size_t>(total, 1)),
      terminal_(terminal),
      next_draw_(terminal.now() + kFirstDraw) {}

Progress::~Progress() {
  if (drawn_ == 0) return;
  std::fprintf(terminal_.out, "\r%*s\r", static_cast<int>(drawn_), "");
  std::fflush(terminal_.out);
}

void Progress::update(std::size_t done) {
  if (!terminal_.interactive) return;
  const double now = terminal_.now();
  if (now < next_draw_) return;
  next_draw_ = now + kRedraw;
  const double part = static_cast<double>(std::min(done, total_)) / static_cast<double>(total_);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(kWidth));
  std::string bar(filled, '=');
  if (filled < kWidth) bar += '>';
  bar.resize(kWidth, ' ');
  std::fputc('\r', terminal_.out);
  const int length =
      std::fprintf(terminal_.out, "%s [%s] %3.0f %%", label_.c_str(), bar.c_str(), part * 100);
  std::fflush(terminal_.out);
  if (length > 0) drawn_ = std::max(drawn_, static_cast<std::size_t>(length));
}

}  // namespace octet::command
