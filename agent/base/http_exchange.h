// One HTTP/1.1 request and its answer (RFC 9112) on a socket that is connected already, with the body sent
// from where it lies: libcurl copies each body once more on its way to the socket.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "agent/base/http_client.h"

namespace sidelight {

// Never blocks: advance() does what can be done now, and events() says what to wait for. Does not own the
// socket. One thread.
class HttpExchange {
 public:
  enum class State {
    running,
    answered,  // response() is complete
    failed,    // failure() says how; the connection is of no more use
  };
  // `request` outlives the exchange. `host` and `target` are what its URL says.
  HttpExchange(const HttpRequest& request, std::string_view host, std::string_view target, int socket);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  State advance();
  // For poll(2).
  short events() const;
  int socket() const { return socket_; }
  // Whether a byte of the answer came in. Without one, a kept connection may have been closed before the
  // request came.
  bool heard_something() const { return heard_; }
  // After `answered`: whether the connection can take another request.
  bool reusable() const { return reusable_; }
  HttpResponse take_response() { return std::move(response_); }
  const TransportError& failure() const { return failure_; }

 private:
  struct Answer;
  State send_some();
  State receive_some();
  State take_in(std::string_view bytes);
  State close_of_peer();
  State fail(TransportError::Kind kind, std::string message);
  State finish();

  const HttpRequest& request_;
  const int socket_;
  std::string head_;
  std::size_t sent_ = 0;      // of head and body
  bool send_broken_ = false;  // the peer reads no more; it may have answered before
  bool heard_ = false;
  bool reusable_ = false;
  std::unique_ptr<Answer> answer_;
  HttpResponse response_;
  TransportError failure_;
};

// What an exchange needs of a URL. Not for https, nor for a URL with a user: `plain` is false then.
struct HttpTarget {
  bool plain = false;
  std::string host;      // with the port, as for the Host field
  std::string resource;  // path and query
};
HttpTarget parse_http_target(std::string_view url);

}  // namespace sidelight
