// SPDX-License-Identifier: Apache-2.0
// Sequences of C API calls: models, sessions, arenas and executors made, used and freed in any
// order that the contract allows, with right and wrong arguments. A right run gives the same bytes
// each time, a wrong call its status and no change.
#include <octet/octet_c.h>

#include <algorithm>
#include <list>
#include <memory>

#include "tests/fuzz/small_networks.h"

using namespace octet::fuzz;

namespace {

constexpr std::size_t kMaxBatch = 5;
constexpr std::byte kPattern{0xa5};

// An executor of the caller's own: the tasks one after the other, the last first.
std::size_t own_concurrency(void* self) {
  return *static_cast<std::size_t*>(self);
}
void own_run(void*, std::size_t tasks, octet_task fn, void* context) {
  while (tasks > 0) fn(context, --tasks);
}

struct LoadedModel {
  const Network* network;
  octet_model* model;
};
struct LiveExecutor {
  octet_executor functions;
  std::size_t concurrency;  // of an own one
  std::size_t sessions = 0;
};
struct LiveSession {
  const Network* network;
  octet_session* session;
  std::unique_ptr<std::byte[]> arena;
  LiveExecutor* executor;
};

class Calls {
 public:
  explicit Calls(Reader& input) : input_(input) {}
  ~Calls() {
    while (!sessions_.empty()) free_session();
    while (!models_.empty()) free_model();
    for (LiveExecutor& executor : executors_) free(executor);
  }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void run() {
    static Count made("calls");
    for (std::size_t calls = 0; calls < 16 && !input_.empty(); ++calls, ++made) call();
  }

 private:
  void call() {
    switch (input_.below(12)) {
      case 0:
      case 1:
        return load();
      case 2:
        return load_wrongly();
      case 3:
        if (!models_.empty()) free_model();
        return;
      case 4:
      case 5:
        if (!models_.empty()) create_session();
        return;
      case 6:
        if (!sessions_.empty()) free_session();
        return;
      case 7:
        return describe();
      case 8:
        return change_executors();
      case 9:
        if (!sessions_.empty()) run_wrongly();
        return;
      default:
        if (!sessions_.empty()) run_rightly();
    }
  }

  template <class List>
  typename List::iterator pick(List& list) {
    return std::next(list.begin(), static_cast<std::ptrdiff_t>(input_.below(list.size())));
  }
  const Network& network() { return networks()[input_.below(3)]; }

  void load() {
    const Network& net = network();
    octet_load_options options{};
    constexpr const char* kTables[] = {nullptr, "scalar", "avx2"};
    options.isa = kTables[input_.below(2)];
    options.copy = input_.flag();
    octet_model* model = nullptr;
    octet_error error{};
    octet_status status = OCTET_OK;
    if (input_.below(32) == 31) {  // seldom: a mapping costs ten models
      status = octet_model_load(net.path.path().c_str(), &options, &model, &error);
    } else {
      Bytes moved(1 + net.file.size());
      std::copy(net.file.begin(), net.file.end(), moved.begin() + 1);
      const bool shifted = input_.flag();
      status = octet_model_parse(shifted ? moved.data() + 1 : net.file.data(), net.file.size(),
                                 "net", input_.flag() ? &options : nullptr, &model,
                                 input_.flag() ? &error : nullptr);
    }
    expect(status == OCTET_OK && model != nullptr, "a right file does not load");
    models_.push_back({&net, model});
  }

  void load_wrongly() {
    const Network& net = network();
    octet_load_options options{};
    octet_error error{};
    auto* model = reinterpret_cast<octet_model*>(this);
    const auto parse = [&](const void* data, std::size_t bytes, const char* name) {
      return octet_model_parse(data, bytes, name, &options, &model, &error);
    };
    octet_status status = OCTET_OK;
    octet_status expected = OCTET_ARGUMENT;
    switch (input_.below(8)) {
      case 0:
        status = parse(nullptr, net.file.size(), "net");
        break;
      case 1:
        status = parse(net.file.data(), net.file.size(), nullptr);
        break;
      case 2:
        status = parse(net.file.data(), input_.below(net.file.size()), "net");
        expected = OCTET_FORMAT;
        break;
      case 3:
        options.isa = "z80";
        status = parse(net.file.data(), net.file.size(), "net");
        expected = OCTET_CPU;
        break;
      case 4:
        options.limits.file_bytes = 1 + input_.below(net.file.size() - 1);
        status = parse(net.file.data(), net.file.size(), "net");
        expected = OCTET_LIMIT;
        break;
      case 5:
        options.limits.arena_bytes = 1;
        status = parse(net.file.data(), net.file.size(), "net");
        expected = OCTET_LIMIT;
        break;
      case 6:
        status = octet_model_load("/nowhere/net.octet", &options, &model, &error);
        expected = OCTET_IO;
        break;
      default:
        status = octet_model_load(nullptr, &options, &model, &error);
    }
    expect(status == expected && error.status == expected, "a wrong load has another status");
    expect(model == nullptr && error.message[0] != '\0',
           "a wrong load gives a model or no message");
    expect(octet_model_parse(net.file.data(), net.file.size(), "net", nullptr, nullptr, nullptr) ==
               OCTET_ARGUMENT,
           "no place for the model is no mistake");
  }

  void free_model() {
    const auto chosen = pick(models_);
    octet_model_free(chosen->model);
    models_.erase(chosen);
  }

  void create_session() {
    const LoadedModel& loaded = *pick(models_);
    LiveExecutor* executor = executors_.empty() || input_.flag() ? nullptr : &*pick(executors_);
    octet_session_options options{};
    std::size_t concurrency = 1;
    if (executor != nullptr) {
      options.executor = &executor->functions;
      concurrency = executor->functions.concurrency(executor->functions.self);
    }
    std::unique_ptr<std::byte[]> arena;  // of which a run touches little
    octet_status expected = OCTET_OK;
    if (input_.flag()) {
      const std::size_t needed = octet_session_arena_bytes(loaded.model, concurrency);
      arena.reset(new std::byte[needed + 64]);
      const auto address = reinterpret_cast<std::uintptr_t>(arena.get());
      const std::size_t wrong = input_.below(8);
      options.arena = arena.get() + (64 - address % 64) % 64;
      options.arena_bytes = needed;
      if (wrong == 0) {
        options.arena_bytes = needed - 1;
        expected = OCTET_ARGUMENT;
      } else if (wrong == 1) {
        options.arena = static_cast<std::byte*>(options.arena) + 1;
        expected = OCTET_ARGUMENT;
      }
    }
    octet_error error{};
    octet_session* session = nullptr;
    const octet_status status = octet_session_create(loaded.model, &options, &session, &error);
    expect(status == expected && (session != nullptr) == (status == OCTET_OK),
           "octet_session_create has another status");
    if (session == nullptr) return;
    if (executor != nullptr) ++executor->sessions;
    sessions_.push_back({loaded.network, session, std::move(arena), executor});
  }

  void free_session() {
    const auto chosen = pick(sessions_);
    octet_session_free(chosen->session);
    if (chosen->executor != nullptr) --chosen->executor->sessions;
    sessions_.erase(chosen);
  }

  void describe() {
    octet_tensor_info info{};
    const octet_model* model =
        models_.empty() || input_.below(4) == 0 ? nullptr : pick(models_)->model;
    const std::size_t index = input_.below(6);
    const bool there = index < octet_model_inputs(model);
    expect((octet_model_input(model, index, &info) == OCTET_OK) == there, "octet_model_input");
    expect(!there || (info.name != nullptr && info.rank >= 1 && info.shape[0] == -1), "an input");
    expect((octet_model_output(model, index, &info) == OCTET_OK) ==
               (index < octet_model_outputs(model)),
           "octet_model_output");
    expect(octet_model_input(model, index, nullptr) == OCTET_ARGUMENT,
           "no place for a description");
    expect(octet_model_isa(model) != nullptr, "octet_model_isa");
    expect(octet_session_create(nullptr, nullptr, nullptr, nullptr) == OCTET_ARGUMENT, "no model");
    octet_model_free(nullptr);
    octet_session_free(nullptr);
    octet_executor_free(nullptr);
  }

  static void free(LiveExecutor& executor) {
    octet_executor_free(&executor.functions);  // leaves an own one alone
  }

  void change_executors() {
    const std::size_t what = input_.below(16);
    octet_executor made{};
    octet_error error{};
    if (what == 0) {
      expect(octet_thread_executor_create(0, &made, &error) == OCTET_ARGUMENT, "no threads");
      expect(octet_tbb_executor_create(5000, &made, &error) == OCTET_LIMIT, "too many threads");
    } else if (what == 1 && executors_.size() < 2) {
      const std::size_t threads = 1 + input_.below(2);
      expect(octet_thread_executor_create(threads, &made, &error) == OCTET_OK, "threads");
      executors_.push_back({made, 0});
    } else if (what == 2 && executors_.size() < 2) {
      const octet_status status = octet_tbb_executor_create(1 + input_.below(2), &made, &error);
      expect(status == OCTET_OK || status == OCTET_UNSUPPORTED, "oneTBB's threads");
      if (status == OCTET_OK) executors_.push_back({made, 0});
    } else if (what < 8) {
      LiveExecutor& own = executors_.emplace_back(LiveExecutor{{}, input_.below(3)});
      own.functions = {&own.concurrency, own_concurrency, own_run};
    } else if (!executors_.empty()) {
      const auto chosen = pick(executors_);
      if (chosen->sessions > 0) return;
      free(*chosen);
      executors_.erase(chosen);
    }
  }

  struct Buffers {
    std::vector<Bytes> memory;
    std::vector<octet_input> in;
    std::vector<octet_output> out;
  };
  Buffers make_buffers(const Network& net, std::size_t batch, std::size_t shift) {
    Buffers buffers;
    for (const Bytes& sample : net.inputs) {
      Bytes& bytes = buffers.memory.emplace_back(shift);
      for (std::size_t i = 0; i < batch; ++i)
        bytes.insert(bytes.end(), sample.begin(), sample.end());
      buffers.in.push_back({bytes.data() + shift, bytes.size() - shift});
    }
    for (const Bytes& sample : net.outputs) {
      Bytes& bytes = buffers.memory.emplace_back(shift + batch * sample.size(), kPattern);
      buffers.out.push_back({bytes.data() + shift, bytes.size() - shift});
    }
    return buffers;
  }

  void run_rightly() {
    const LiveSession& live = *pick(sessions_);
    const std::size_t batch = input_.below(kMaxBatch + 1);
    const std::size_t shift = input_.below(4);
    const Buffers buffers = make_buffers(*live.network, batch, shift);
    expect(octet_session_run(live.session, buffers.in.data(), buffers.in.size(), buffers.out.data(),
                             buffers.out.size(), batch) == OCTET_OK,
           "a right run fails");
    for (std::size_t i = 0; i < buffers.out.size(); ++i) {
      const Bytes& sample = live.network->outputs[i];
      const auto* got = static_cast<const std::byte*>(buffers.out[i].data);
      for (std::size_t b = 0; b < batch; ++b) {
        expect(std::equal(sample.begin(), sample.end(), got + b * sample.size()),
               "a run gives other bytes than the first");
      }
    }
  }

  void run_wrongly() {
    const LiveSession& live = *pick(sessions_);
    Buffers buffers = make_buffers(*live.network, 2, 0);
    octet_session* session = live.session;
    std::size_t batch = 2;
    std::size_t ins = buffers.in.size();
    std::size_t outs = buffers.out.size();
    octet_input& in = buffers.in[input_.below(ins)];
    octet_output& out = buffers.out[input_.below(outs)];
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    const std::size_t batches[] = {0, 1, 3, kMost, kMost / 2 + 2};
    switch (input_.below(8)) {
      case 0:
        batch = batches[input_.below(std::size(batches))];
        break;
      case 1:
        in.bytes += input_.flag() ? 1 : kMost;
        break;
      case 2:
        out.bytes -= 1 + input_.below(out.bytes);
        break;
      case 3:
        ins -= 1;
        break;
      case 4:
        outs -= 1;
        break;
      case 5:
        session = nullptr;
        break;
      case 6:
        in.data = nullptr;
        break;
      default:
        out.data = nullptr;
    }
    expect(octet_session_run(session, buffers.in.data(), ins, buffers.out.data(), outs, batch) ==
               OCTET_ARGUMENT,
           "a wrong run has another status");
    for (std::size_t i = live.network->inputs.size(); i < buffers.memory.size(); ++i) {
      expect(std::ranges::count(buffers.memory[i], kPattern) == std::ssize(buffers.memory[i]),
             "a wrong run writes");
    }
  }

  Reader& input_;
  std::list<LoadedModel> models_;
  std::list<LiveExecutor> executors_;
  std::list<LiveSession> sessions_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  ++inputs;
  Reader input({data, size});
  Calls(input).run();
  return 0;
}
