// SPDX-License-Identifier: Apache-2.0
// A server: one model, a session for each thread. Takes samples from stdin, back to back and as the
// network takes them, and answers each, in order, with the index of its largest output.
//   zcat t10k-images-idx3-ubyte.gz | tail -c +17 | server mnist_mlp.octet 4
#include <octet/octet.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace {

// What comes in, for one thread at a time.
class Requests {
 public:
  // The number of the request whose sample was read; nothing at the end.
  std::optional<std::size_t> next(std::vector<unsigned char>& sample) {
    const std::lock_guard lock(mutex_);
    if (rest_ != 0) return {};
    rest_ = std::fread(sample.data(), 1, sample.size(), stdin);
    if (rest_ != sample.size()) return {};
    rest_ = 0;
    return count_++;
  }
  // Bytes of a sample that the end cut off, once next() has returned nothing.
  std::size_t rest() const { return rest_; }

 private:
  std::mutex mutex_;
  std::size_t count_ = 0;
  std::size_t rest_ = 0;
};

// What goes out: threads finish in any order, and wait for their turn.
class Answers {
 public:
  void give(std::size_t request, std::size_t answer) {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] { return count_ == request; });
    std::printf("%zu\n", answer);
    ++count_;
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::size_t count_ = 0;
};

void serve(octet::Session& session, std::size_t input_bytes, std::size_t output_bytes,
           Requests& requests, Answers& answers) {
  std::vector<unsigned char> sample(input_bytes);
  std::vector<float> logits(output_bytes / sizeof(float));
  while (const std::optional<std::size_t> request = requests.next(sample)) {
    // It fails for a wrong size only, and the sizes are the model's own.
    if (session.run(octet::input(sample), octet::output(logits)) != OCTET_OK) std::abort();
    const auto best = std::max_element(logits.begin(), logits.end());
    answers.give(*request, static_cast<std::size_t>(best - logits.begin()));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const int threads = argc == 3 ? std::atoi(argv[2]) : 0;
  if (threads < 1 || threads > 1000) {
    std::fprintf(stderr, "usage: server MODEL.octet THREADS\n");
    return 2;
  }
  const octet::Model model = octet::Model::load(argv[1]);
  if (model.inputs() != 1 || model.outputs() != 1 || model.output().dtype != OCTET_F32) {
    std::fprintf(stderr, "%s: must have one input and one output of floats\n", argv[1]);
    return 1;
  }
  // All that can fail is done before the first request.
  std::vector<octet::Session> sessions;
  for (int i = 0; i < threads; ++i) sessions.emplace_back(model);

  const std::size_t input_bytes = model.input().sample_bytes;
  const std::size_t output_bytes = model.output().sample_bytes;
  Requests requests;
  Answers answers;
  {
    std::vector<std::jthread> workers;
    for (octet::Session& session : sessions) {
      workers.emplace_back([&] { serve(session, input_bytes, output_bytes, requests, answers); });
    }
  }
  if (requests.rest() != 0) {
    std::fprintf(stderr, "the last sample has %zu bytes, the network takes %zu\n", requests.rest(),
                 input_bytes);
    return 1;
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
