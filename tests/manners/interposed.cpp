// SPDX-License-Identifier: Apache-2.0
// The symbols of a program come before those of its shared libraries: calls from the engine and
// from libstdc++ end here.
#include "tests/manners/interposed.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace octet::test {
namespace {

constinit std::atomic<std::uint64_t> allocations{0};
constinit std::atomic<std::uint64_t> locks{0};
constinit std::atomic<std::uint64_t> environment{0};
// getenv is no place to allocate.
constinit std::array<std::array<char, 32>, 64> names{};
constinit std::size_t names_taken = 0;

void count(std::atomic<std::uint64_t>& counter) noexcept {
  counter.fetch_add(1, std::memory_order_relaxed);
}

// The function of that name in the libraries behind this program. A plain pointer, not a local
// static with a guard, which would be counted.
template <class Function>
Function* next(Function*& found, const char* name) noexcept {
  if (found == nullptr) found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  return found;
}

std::function<void()> read_hook;
constinit std::atomic<bool> has_read_hook{false};

}  // namespace

Calls calls_so_far() noexcept {
  return {allocations, locks, environment};
}

std::vector<std::string> take_environment_names() {
  std::vector<std::string> result;
  for (; names_taken < environment && names_taken < names.size(); ++names_taken) {
    result.emplace_back(names[names_taken].data());
  }
  return result;
}

void before_next_read(std::function<void()> hook) {
  read_hook = std::move(hook);
  has_read_hook = true;
}

}  // namespace octet::test

using octet::test::allocations;
using octet::test::count;
using octet::test::locks;

// Hidden, as all else here is, Clang would make them this file's own, and libraries would call
// theirs.
#pragma GCC visibility push(default)
extern "C" {

// ---- memory: glibc has each function under a second name ----

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* memory);

void* malloc(std::size_t bytes) {
  count(allocations);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t elements, std::size_t bytes) {
  count(allocations);
  return __libc_calloc(elements, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  count(allocations);
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count(allocations);
  return __libc_memalign(alignment, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  count(allocations);
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  count(allocations);
  *memory = __libc_memalign(alignment, bytes);
  return *memory != nullptr ? 0 : ENOMEM;
}
void free(void* memory) {
  count(allocations);
  __libc_free(memory);
}

// ---- locks. Condition variables need a mutex; what these sleep on is a system call ----

#define OCTET_COUNT_LOCK(function, Object)              \
  int function(Object* object) noexcept {               \
    static int (*found)(Object*) = nullptr;             \
    count(locks);                                       \
    return octet::test::next(found, #function)(object); \
  }
OCTET_COUNT_LOCK(pthread_mutex_lock, pthread_mutex_t)
OCTET_COUNT_LOCK(pthread_mutex_trylock, pthread_mutex_t)
OCTET_COUNT_LOCK(pthread_mutex_unlock, pthread_mutex_t)
OCTET_COUNT_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
OCTET_COUNT_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
OCTET_COUNT_LOCK(pthread_rwlock_unlock, pthread_rwlock_t)
OCTET_COUNT_LOCK(sem_trywait, sem_t)
OCTET_COUNT_LOCK(sem_post, sem_t)
#undef OCTET_COUNT_LOCK

int sem_wait(sem_t* object) {
  static int (*found)(sem_t*) = nullptr;
  count(locks);
  return octet::test::next(found, "sem_wait")(object);
}
int __cxa_guard_acquire(long long* guard) {
  static int (*found)(long long*) = nullptr;
  count(locks);
  return octet::test::next(found, "__cxa_guard_acquire")(guard);
}

// ---- the environment and files ----

char* getenv(const char* name) noexcept {
  static char* (*found)(const char*) = nullptr;
  const std::size_t index = octet::test::environment.fetch_add(1, std::memory_order_relaxed);
  if (index < octet::test::names.size()) {
    auto& kept = octet::test::names[index];
    std::strncpy(kept.data(), name, kept.size() - 1);
  }
  return octet::test::next(found, "getenv")(name);
}

ssize_t read(int file, void* to, std::size_t bytes) {
  static ssize_t (*found)(int, void*, std::size_t) = nullptr;
  if (octet::test::has_read_hook.exchange(false)) octet::test::read_hook();
  return octet::test::next(found, "read")(file, to, bytes);
}

}  // extern "C"
#pragma GCC visibility pop
