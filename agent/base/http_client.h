// The only door to HTTP clients (libcurl behind it).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

// Room behind the text of an answer, for its readers (simdjson).
inline constexpr std::size_t kAnswerPadding = 64;

// A header's name as HttpResponse has it.
std::string lower_case(std::string_view name);

struct TlsOptions {
  std::string ca_file;           // PEM; empty: the system's
  std::string certificate_file;  // PEM, for mTLS
  std::string key_file;
  bool verify = true;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;  // must stay valid until the callback ran; not copied
  TlsOptions tls;
  std::string
      proxy;  // empty: none (the environment's proxy variables are honoured by the configuration, not here)
  std::chrono::milliseconds connect_timeout{10000};
  std::chrono::milliseconds timeout{60000};
  std::size_t max_response_bytes = 64u << 20;
};

struct HttpResponse {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  // A kept connection died before the first byte of its answer and the request went out again on a new one:
  // the server may have seen it twice.
  bool sent_more_than_once = false;
  std::string_view header(std::string_view lower_name) const;
};

// How a request without any HTTP answer failed. `request_may_have_arrived` is false only when it surely did
// not.
struct TransportError {
  enum class Kind { resolve, connect, tls, timeout, reset, too_large, other };
  Kind kind = Kind::other;
  bool request_may_have_arrived = true;
  std::string message;
};

using HttpResult = std::expected<HttpResponse, TransportError>;

// Many requests at a time on one thread: start() queues, run_once() moves all of them and calls their
// callbacks. Keep-alive. Everything but wake() belongs to one thread.
class HttpClient {
 public:
  using Callback = std::function<void(HttpResult)>;
  virtual ~HttpClient() = default;
  virtual void start(HttpRequest request, Callback done) = 0;
  // Waits up to max_wait for something to happen, then calls the callbacks of finished requests.
  virtual void run_once(std::chrono::milliseconds max_wait) = 0;
  // Makes a run_once() in progress, or the next one, return early. From any thread.
  virtual void wake() = 0;
  // Aborts everything in flight; callbacks get kind `other`.
  virtual void cancel_all() = 0;
};

std::unique_ptr<HttpClient> make_curl_http_client();

}  // namespace sidelight
