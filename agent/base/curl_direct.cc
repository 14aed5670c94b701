#include "agent/base/curl_direct.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/base/curl_errors.h"

namespace sidelight {
namespace {

// Below this, a copy costs less than the bookkeeping.
constexpr std::size_t kLeastBody = 64u << 10;
constexpr std::size_t kMostKept = 16;
constexpr std::chrono::seconds kLongestLife{
    300};  // a connection is renewed, so that a moved name is followed
constexpr std::chrono::seconds kLongestRest{
    60};  // servers close what is silent; better not to find that out by sending
constexpr long kDnsCacheSeconds = 30;

// Whether nothing came in while nobody looked: neither the end nor bytes that belong to no request.
bool is_silent(int socket) {
  char byte = 0;
  const ssize_t n = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

bool DirectTransfers::takes(const HttpRequest& request) {
  return request.body.size() >= kLeastBody && request.proxy.empty() && request.method == "POST" &&
         parse_http_target(request.url).plain;
}

void DirectTransfers::start(CURLM* multi, HttpRequest request, HttpClient::Callback done) {
  multi_ = multi;
  Transfer& t = transfers_.emplace_back();
  t.request = std::move(request);
  t.done = std::move(done);
  t.target = parse_http_target(t.request.url);
  t.begun = clock_.now();
  begin(t);
}

void DirectTransfers::begin(Transfer& t) {
  t.connection = take_kept(t.target.host);
  t.reused = t.connection != nullptr;
  if (t.reused) {
    exchange(t);
  } else {
    connect(t);
  }
}

void DirectTransfers::connect(Transfer& t) {
  t.connection = std::make_unique<Connection>();
  Connection& c = *t.connection;
  c.easy.reset(curl_easy_init());
  c.host = t.target.host;
  t.error.assign(CURL_ERROR_SIZE, '\0');
  CURL* const e = c.easy.get();
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - t.begun);
  const auto left = std::max(t.request.timeout - spent, std::chrono::milliseconds(1));
  curl_easy_setopt(e, CURLOPT_URL, t.request.url.c_str());
  curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t.error.data());
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);  // as in curl_http_client.cc
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, kDnsCacheSeconds);
  curl_easy_setopt(e, CURLOPT_PROXY, "");
  curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(t.request.connect_timeout.count()));
  curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_multi_add_handle(multi_, e);
}

bool DirectTransfers::on_connected(CURL* easy, CURLcode code) {
  const auto it = std::find_if(transfers_.begin(), transfers_.end(), [easy](const Transfer& t) {
    return t.connection && t.connection->easy.get() == easy;
  });
  if (it == transfers_.end()) {
    const bool kept =
        std::any_of(kept_.begin(), kept_.end(), [easy](const auto& c) { return c->easy.get() == easy; });
    return kept;
  }
  Transfer& t = *it;
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (code == CURLE_OK) code = curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket);
  if (code == CURLE_OK && socket == CURL_SOCKET_BAD) code = CURLE_COULDNT_CONNECT;
  if (code != CURLE_OK) {
    t.result = std::make_unique<HttpResult>(std::unexpected(classify(
        {code, easy, std::string_view(t.error).substr(0, t.error.find('\0')), t.request, t.times_sent > 0})));
    return true;
  }
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);  // the connection may outlive the transfer
  t.connection->socket = socket;
  t.connection->born = clock_.now();
  exchange(t);
  return true;
}

void DirectTransfers::exchange(Transfer& t) {
  ++t.times_sent;
  t.exchange =
      std::make_unique<HttpExchange>(t.request, t.target.host, t.target.resource, t.connection->socket);
}

void DirectTransfers::wait_for(std::vector<curl_waitfd>& sockets) const {
  for (const Transfer& t : transfers_) {
    if (!t.exchange) continue;
    const short events = t.exchange->events();
    sockets.push_back(
        {t.exchange->socket(),
         static_cast<short>(CURL_WAIT_POLLIN | ((events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0)), 0});
  }
}

std::chrono::milliseconds DirectTransfers::time_to_next(std::chrono::milliseconds max_wait) const {
  const MonoTime now = clock_.now();
  for (const Transfer& t : transfers_) {
    if (t.result) return std::chrono::milliseconds(0);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline(t) - now);
    max_wait = std::clamp(left, std::chrono::milliseconds(0), max_wait);
  }
  return max_wait;
}

void DirectTransfers::move(Transfer& t) {
  const auto ended = [&t](TransportError error) {
    t.result = std::make_unique<HttpResult>(std::unexpected(std::move(error)));
  };
  switch (t.exchange->advance()) {
    case HttpExchange::State::running:
      if (clock_.now() < deadline(t)) return;
      ended({TransportError::Kind::timeout, true,
             "no answer within " + std::to_string(t.request.timeout.count()) + " ms"});
      return;
    case HttpExchange::State::answered: {
      HttpResponse response = t.exchange->take_response();
      response.sent_more_than_once = t.times_sent > 1;
      t.result = std::make_unique<HttpResult>(std::move(response));
      if (t.exchange->reusable()) keep(std::move(t.connection));
      return;
    }
    case HttpExchange::State::failed:
      // A kept connection may have been closed by the time that the request came: that says nothing about the
      // server.
      if (t.reused && !t.exchange->heard_something()) {
        t.exchange.reset();
        close(std::move(t.connection));
        connect(t);
        t.reused = false;
        return;
      }
      ended(t.exchange->failure());
      return;
  }
}

bool DirectTransfers::advance() {
  for (Transfer& t : transfers_)
    if (!t.result && t.exchange) move(t);
  // A callback may start or drop transfers.
  std::list<Transfer> ended;
  for (auto it = transfers_.begin(); it != transfers_.end();) {
    const auto next = std::next(it);
    if (it->result) ended.splice(ended.end(), transfers_, it);
    it = next;
  }
  for (Transfer& t : ended) {
    t.exchange.reset();
    close(std::move(t.connection));
    t.done(std::move(*t.result));
  }
  return !ended.empty();
}

std::vector<HttpClient::Callback> DirectTransfers::drop_all() {
  std::vector<HttpClient::Callback> out;
  std::list<Transfer> dropped = std::move(transfers_);
  transfers_.clear();
  for (Transfer& t : dropped) {
    t.exchange.reset();
    close(std::move(t.connection));
    out.push_back(std::move(t.done));
  }
  for (auto& c : std::exchange(kept_, {})) close(std::move(c));
  return out;
}

DirectTransfers::ConnectionPtr DirectTransfers::take_kept(const std::string& host) {
  const MonoTime now = clock_.now();
  for (auto it = kept_.begin(); it != kept_.end();) {
    ConnectionPtr& c = *it;
    const bool good = now - c->born < kLongestLife && now - c->used < kLongestRest && is_silent(c->socket);
    if (good && c->host != host) {
      ++it;
      continue;
    }
    ConnectionPtr taken = std::move(c);
    it = kept_.erase(it);
    if (good) return taken;
    close(std::move(taken));
  }
  return nullptr;
}

void DirectTransfers::keep(ConnectionPtr connection) {
  connection->used = clock_.now();
  kept_.push_back(std::move(connection));
  if (kept_.size() <= kMostKept) return;
  close(std::move(kept_.front()));
  kept_.erase(kept_.begin());
}

void DirectTransfers::close(ConnectionPtr connection) {
  if (connection) curl_multi_remove_handle(multi_, connection->easy.get());
}

}  // namespace sidelight
