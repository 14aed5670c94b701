// The HTTP server behind /metrics, /healthz, /readyz and what comes to stand beside them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/error.h"
#include "agent/base/log.h"
#include "agent/observe/http_probe.h"
#include "agent/observe/options.h"

namespace sidelight {

// A request as a handler sees it; the views live as long as the call.
struct HttpCall {
  std::string_view path;           // without the query, as sent (not percent-decoded)
  std::string_view query;          // after '?', "" if none
  std::string_view authorization;  // the header of that name, "" if none
};

struct HttpReply {
  int status = 200;
  std::string body = {};
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers = {};  // further ones
};

// Called on the server's thread, one at a time: quick, and never waiting for anything. What it throws becomes
// a 500.
using HttpHandler = std::function<HttpReply(const HttpCall&)>;

// Handlers by path. A path that ends in '/' (other than "/" itself) also serves everything below it; the
// longest match wins.
using HttpRoutes = std::map<std::string, HttpHandler, std::less<>>;

struct HttpLimits {
  std::size_t connections = 64;  // beyond it the connection that has waited longest for its client is closed
  std::size_t header_bytes = 8 * 1024;
  std::size_t body_bytes = 8 * 1024;         // read and ignored
  std::chrono::milliseconds timeout{10000};  // for a request to arrive, and for an answer to leave
  std::chrono::milliseconds idle{75000};     // between the requests of one connection
};

// Serves GET and HEAD (else 405) over HTTP/1.0 and 1.1 with keep-alive, on a thread of its own, until
// destroyed. A client that is slow or hostile costs one connection at most.
class HttpServer {
 public:
  // Binds and starts. An error names the address and what to do about it. `log` and `probe` outlive the
  // server.
  static Expected<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options, HttpRoutes routes,
                                                     Logger& log, HttpProbe& probe,
                                                     const HttpLimits& limits = {});
  // Closes every connection and waits for the thread.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port it listens on, chosen by the system if port 0 was asked for.
  std::uint16_t port() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sidelight
