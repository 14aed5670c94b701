#include "agent/base/name_lookups.h"

#include <netdb.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace sidelight {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

Expected<NameLookups::Endpoints> look_up(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_protocol = IPPROTO_TCP;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0)
    return fail(error == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(error));
  NameLookups::Endpoints out;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
    tcp::endpoint endpoint;
    if (a->ai_addrlen > endpoint.capacity()) continue;
    endpoint.resize(a->ai_addrlen);
    std::memcpy(endpoint.data(), a->ai_addr, a->ai_addrlen);
    out.push_back(endpoint);
  }
  ::freeaddrinfo(found);
  if (out.empty()) return fail("it has no address");
  return out;
}

}  // namespace

// What the threads and the loop have in common. The callbacks stay here: they hold what belongs to the loop.
struct NameLookups::Shared {
  std::mutex mutex;
  asio::io_context* loop = nullptr;  // null once nobody waits any more
  std::map<std::uint64_t, Callback> waiting;
  std::uint64_t last = 0;

  // The lookup's number; zero, and `done` stays the caller's, when kMost are under way.
  std::uint64_t add(Callback& done) {
    const std::lock_guard lock(mutex);
    if (waiting.size() >= kMost) return 0;
    waiting.emplace(++last, std::move(done));
    return last;
  }

  // By a lookup's thread.
  void answer(std::uint64_t id, Expected<Endpoints> found) {
    const std::lock_guard lock(mutex);
    const auto it = waiting.find(id);
    if (loop == nullptr || it == waiting.end()) return;
    asio::post(*loop, [done = std::move(it->second), found = std::move(found)] { done(found); });
    waiting.erase(it);
  }
};

NameLookups::NameLookups(asio::io_context& loop) : shared_(std::make_shared<Shared>()), loop_(loop) {
  shared_->loop = &loop;
}

NameLookups::~NameLookups() {
  std::map<std::uint64_t, Callback> forgotten;
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  forgotten.swap(shared_->waiting);
}

void NameLookups::start(const std::string& host, std::uint16_t port, Callback done) {
  const auto say = [this](Callback to, Expected<Endpoints> what) {
    asio::post(loop_, [to = std::move(to), what = std::move(what)] { to(what); });
  };
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) return say(std::move(done), Endpoints{{address, port}});
  const std::uint64_t id = shared_->add(done);
  if (id == 0) {
    return say(std::move(done), fail("the name server has not answered " + std::to_string(kMost) +
                                     " lookups before this one"));
  }
  try {
    std::thread([shared = shared_, id, host, service = std::to_string(port)] {
      shared->answer(id, look_up(host, service));
    }).detach();
  } catch (const std::system_error& e) {
    shared_->answer(id, fail(std::string("no thread for it: ") + e.what()));
  }
}

}  // namespace sidelight
