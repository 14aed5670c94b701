#include "collectors/framework/http_fetch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/base/secret.h"

namespace sidelight {
namespace {

constexpr std::size_t kShownBytes = 200;

// Scheme, host and port: what may be shown of a URL.
std::string place(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t from = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(0, std::min(url.find_first_of("/?", from), url.size()));
}

std::string first_line(const std::string& body) {
  std::string text = body.substr(0, std::min(body.find_first_of("\r\n"), kShownBytes));
  std::erase_if(text, [](unsigned char c) { return c < 0x20; });
  return text;
}

}  // namespace

HttpFetch::HttpFetch(FileSystem& fs, HttpAccess access)
    : fs_(fs), access_(std::move(access)), client_(make_curl_http_client()) {}

Expected<std::string> HttpFetch::authorization() {
  if (!access_.token_file.empty()) {
    auto token = read_secret(fs_, access_.token_file);
    if (!token) return token;
    return "Bearer " + *token;
  }
  if (access_.username.empty()) return std::string();
  std::string password = access_.password;
  if (!access_.password_file.empty()) {
    auto secret = read_secret(fs_, access_.password_file);
    if (!secret) return secret;
    password = std::move(*secret);
  }
  return "Basic " + base64(access_.username + ":" + password);
}

Expected<HttpResponse> HttpFetch::request(const std::string& url, const Deadline& deadline,
                                          std::size_t max_bytes) {
  auto auth = authorization();
  if (!auth) return std::unexpected(auth.error());
  HttpRequest request;
  request.url = url;
  request.tls = access_.tls;
  request.headers = access_.headers;
  if (!auth->empty()) request.headers.emplace_back("Authorization", std::move(*auth));
  request.connect_timeout = deadline.left();
  request.timeout = deadline.left();
  request.max_response_bytes = max_bytes;
  std::optional<HttpResult> result;
  client_->start(std::move(request), [&](HttpResult r) { result = std::move(r); });
  while (!result && !deadline.passed()) client_->run_once(deadline.left());
  if (!result) {
    client_->cancel_all();  // calls back
    return fail(place(url) + ": no answer in time");
  }
  if (!*result) return fail(place(url) + ": " + result->error().message);
  return std::move(**result);
}

Expected<std::string> HttpFetch::get(const std::string& url, const Deadline& deadline,
                                     std::size_t max_bytes) {
  auto answer = request(url, deadline, max_bytes);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 200) return std::move(answer->body);
  std::string message = place(url) + " answered " + std::to_string(answer->status);
  if (answer->status == 401) message += " (wrong or missing credentials)";
  if (answer->status == 403) message += " (this user has no right to ask it)";
  if (const std::string text = first_line(answer->body); !text.empty()) message += ": " + text;
  return fail(std::move(message));
}

}  // namespace sidelight
