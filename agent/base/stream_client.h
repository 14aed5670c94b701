// The only door to plain TCP and TLS connections that we open (Boost.Asio behind it). HTTP has http_client.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/http_client.h"

namespace sidelight {

struct StreamTarget {
  std::string host;  // a name, an IPv4 or an IPv6 address without brackets
  std::uint16_t port = 0;
  std::optional<TlsOptions> tls;                     // absent: plain TCP. Its files are read at each open()
  std::chrono::milliseconds connect_timeout{10000};  // name, connection and TLS handshake together
};

// Why a connection could not be made, or ended.
struct StreamError {
  enum class Kind { resolve, connect, tls, timeout, closed, other };  // closed: by the other side
  Kind kind = Kind::other;
  std::string message;  // what happened and, where it can be told, what to change
};

// Told about one connection, from within StreamClient::run_once() only.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  // Connected, the other side verified; send() may be called.
  virtual void on_open() = 0;
  // The view is valid during the call.
  virtual void on_bytes(std::string_view bytes) = 0;
  // `n` more bytes of the pending send() were handed to the system; `done`: these were the last.
  virtual void on_sent(std::size_t n, bool done) = 0;
  // It failed or ended; nothing is called after this. Not called after StreamClient::close().
  virtual void on_closed(const StreamError& error) = 0;
};

// Many connections on one thread. Everything but wake() belongs to that thread.
class StreamClient {
 public:
  using Id = std::uint64_t;  // never used twice
  virtual ~StreamClient() = default;
  // `events` stays valid until on_closed() or close().
  virtual Id open(const StreamTarget& target, StreamEvents& events) = 0;
  // One at a time for each connection; `bytes` stay valid until the last on_sent(), on_closed() or close().
  virtual void send(Id id, std::string_view bytes) = 0;
  // Bytes that the system has and the other side's system has not acknowledged yet. Zero for what is not
  // open.
  virtual std::size_t unacknowledged(Id id) = 0;
  // Ends it; says goodbye where TLS wants one. Unknown ids are ignored.
  virtual void close(Id id) = 0;
  // Waits up to max_wait for something to happen and tells the events of what did.
  virtual void run_once(std::chrono::milliseconds max_wait) = 0;
  // Makes a run_once() in progress, or the next one, return early. From any thread.
  virtual void wake() = 0;
};

std::unique_ptr<StreamClient> make_asio_stream_client();

}  // namespace sidelight
