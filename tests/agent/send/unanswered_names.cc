#include "tests/agent/send/unanswered_names.h"

#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>

namespace sidelight::test {
namespace {

constexpr std::chrono::seconds kPatience{10};

// Never destroyed: lookups that nobody waits for may end with the process.
struct State {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t waiting = 0;
  bool answered = true;
};

State& state() {
  static auto* const one = new State;
  return *one;
}

void wait_for_answer() {
  State& s = state();
  std::unique_lock lock(s.mutex);
  ++s.waiting;
  s.changed.notify_all();
  s.changed.wait_for(lock, kPatience, [&s] { return s.answered; });
  --s.waiting;
  s.changed.notify_all();
}

}  // namespace

UnansweredNames::UnansweredNames() {
  const std::lock_guard lock(state().mutex);
  state().answered = false;
}

UnansweredNames::~UnansweredNames() {
  answer();
  State& s = state();
  std::unique_lock lock(s.mutex);
  s.changed.wait(lock, [&s] { return s.waiting == 0; });
}

std::size_t UnansweredNames::waiting() const {
  const std::lock_guard lock(state().mutex);
  return state().waiting;
}

bool UnansweredNames::wait_for(std::size_t n) const {
  State& s = state();
  std::unique_lock lock(s.mutex);
  return s.changed.wait_for(lock, kPatience, [&] { return s.waiting >= n; });
}

void UnansweredNames::answer() const {
  const std::lock_guard lock(state().mutex);
  state().answered = true;
  state().changed.notify_all();
}

}  // namespace sidelight::test

// Found before that of the C library by everything in the process, shared libraries included.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* name, const char* service,
                                                                  const addrinfo* hints, addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (name != nullptr && std::string_view(name).ends_with(".unanswered.invalid")) {
    sidelight::test::wait_for_answer();
    return EAI_NONAME;
  }
  return real(name, service, hints, found);
}
