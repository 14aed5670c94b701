// Looks names up, each on a thread of its own that nobody waits for: a name server that does not answer holds
// up neither other names nor the end of the program. (Asio looks up one name at a time and joins its thread.)
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

// One thread, that of the loop, which outlives this.
class NameLookups {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  using Callback = std::function<void(const Expected<Endpoints>&)>;

  explicit NameLookups(boost::asio::io_context& loop);
  // Forgets the lookups under way with their callbacks. Their threads own what they touch, and end by
  // themselves when the system gives up (resolv.conf: timeout and attempts), or with the process.
  ~NameLookups();
  NameLookups(const NameLookups&) = delete;
  NameLookups& operator=(const NameLookups&) = delete;

  // Calls `done` from the loop, never from within start(): with at least one address, or with what is wrong.
  // An address needs no lookup. When kMost are under way, the next one fails.
  void start(const std::string& host, std::uint16_t port, Callback done);

  static constexpr std::size_t kMost = 32;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  boost::asio::io_context& loop_;
};

}  // namespace sidelight
