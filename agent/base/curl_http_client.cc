// libcurl behind HttpClient.
#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/curl_direct.h"
#include "agent/base/curl_errors.h"
#include "agent/base/http_client.h"

namespace sidelight {
namespace {

constexpr long kReceiveBuffer = 64L << 10;
constexpr long kUploadBuffer =
    256L << 10;                        // fits a second-level cache; libcurl holds it during an upload only
constexpr long kDnsCacheSeconds = 30;  // names are resolved again after this
constexpr long kConnectionLifeSeconds = 300;  // a connection is renewed, so that a moved name is followed
constexpr std::size_t kIdleHandles = 4;

struct EasyDeleter {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
struct SlistDeleter {
  void operator()(curl_slist* l) const { curl_slist_free_all(l); }
};
using EasyPtr = std::unique_ptr<CURL, EasyDeleter>;
using SlistPtr = std::unique_ptr<curl_slist, SlistDeleter>;

struct Transfer {
  EasyPtr easy;
  SlistPtr headers;
  HttpRequest request;
  HttpClient::Callback done;
  HttpResponse response;
  bool too_large = false;
  unsigned times_sent =
      0;  // begun on a connection; libcurl itself repeats what a dying kept connection left unanswered
  char error[CURL_ERROR_SIZE] = {};
};

std::size_t on_body(char* data, std::size_t /*one*/, std::size_t n, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  if (n > t.request.max_response_bytes - t.response.body.size()) {
    t.too_large = true;
    return 0;
  }
  t.response.body.append(data, n);
  return n;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r' || s.back() == '\n')) {
    s.remove_suffix(1);
  }
  return s;
}

std::size_t on_header(char* data, std::size_t /*one*/, std::size_t n, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  const std::string_view line(data, n);
  if (line.starts_with("HTTP/")) {  // a new head: what came before belonged to an interim answer
    t.response.headers.clear();
    return n;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || t.response.headers.size() >= 200) return n;
  t.response.headers.emplace_back(lower_case(trimmed(line.substr(0, colon))),
                                  std::string(trimmed(line.substr(colon + 1))));
  return n;
}

int on_sending(void* user, char* /*to*/, char* /*from*/, int /*to_port*/, int /*from_port*/) {
  ++static_cast<Transfer*>(user)->times_sent;
  return CURL_PREREQFUNC_OK;
}

class CurlHttpClient final : public HttpClient {
 public:
  CurlHttpClient() = default;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  ~CurlHttpClient() override {
    for (auto& t : active_) curl_multi_remove_handle(multi_.load(), t->easy.get());
    active_.clear();
    idle_.clear();
    direct_.drop_all();
    if (CURLM* m = multi_.load()) {
      curl_multi_cleanup(m);
      curl_global_cleanup();
    }
  }

  void start(HttpRequest request, Callback done) override;
  void run_once(std::chrono::milliseconds max_wait) override;
  void wake() override;
  void cancel_all() override;

 private:
  CURLM* multi();
  EasyPtr take_easy();
  void configure(Transfer& t);
  bool collect_finished();
  void finish(Transfer* t, CURLcode code);

  // Made at the first start(): a client that never sends costs next to nothing.
  std::atomic<CURLM*> multi_{nullptr};
  std::mutex mutex_;  // guards woken_ while there is no multi handle yet
  std::condition_variable wake_up_;
  bool woken_ = false;
  std::vector<EasyPtr> idle_;
  std::vector<std::unique_ptr<Transfer>> active_;
  SystemClock clock_;
  DirectTransfers direct_{clock_};
  std::vector<curl_waitfd> sockets_;  // scratch
};

CURLM* CurlHttpClient::multi() {
  CURLM* m = multi_.load();
  if (m == nullptr) {
    curl_global_init(CURL_GLOBAL_DEFAULT);  // counted and thread-safe in this version
    m = curl_multi_init();
    curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, 16L);
    const std::lock_guard lock(mutex_);
    multi_.store(m);
  }
  return m;
}

EasyPtr CurlHttpClient::take_easy() {
  if (idle_.empty()) return EasyPtr(curl_easy_init());
  EasyPtr e = std::move(idle_.back());
  idle_.pop_back();
  curl_easy_reset(e.get());  // keeps connections and the DNS cache, they belong to the multi handle
  return e;
}

void CurlHttpClient::configure(Transfer& t) {
  CURL* c = t.easy.get();
  const HttpRequest& r = t.request;
  curl_slist* list = nullptr;
  for (const auto& [name, value] : r.headers) list = curl_slist_append(list, (name + ": " + value).c_str());
  list = curl_slist_append(list, "Expect:");
  t.headers.reset(list);
  curl_easy_setopt(c, CURLOPT_PRIVATE, static_cast<void*>(&t));
  curl_easy_setopt(c, CURLOPT_URL, r.url.c_str());
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t.error);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  // Else the end of a transfer waits, and all others with it, for a name server that does not answer.
  curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(c, CURLOPT_DNS_CACHE_TIMEOUT, kDnsCacheSeconds);
  curl_easy_setopt(c, CURLOPT_MAXLIFETIME_CONN, kConnectionLifeSeconds);
  curl_easy_setopt(c, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  curl_easy_setopt(c, CURLOPT_PROXY, r.proxy.c_str());  // empty: no proxy, whatever the environment says
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(r.connect_timeout.count()));
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(r.timeout.count()));
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, static_cast<void*>(&t));
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, static_cast<void*>(&t));
  curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_sending);
  curl_easy_setopt(c, CURLOPT_PREREQDATA, static_cast<void*>(&t));
  if (!r.body.empty() || r.method == "POST" || r.method == "PUT") {
    curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBuffer);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(r.body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, r.body.empty() ? "" : r.body.data());
  }
  if (r.method == "HEAD") {
    curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
  } else if (r.method != "GET" || !r.body.empty()) {
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r.method.c_str());
  }
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, r.tls.verify ? 1L : 0L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, r.tls.verify ? 2L : 0L);
  if (!r.tls.ca_file.empty()) {
    curl_easy_setopt(c, CURLOPT_CAINFO, r.tls.ca_file.c_str());
    curl_easy_setopt(c, CURLOPT_CAPATH,
                     nullptr);  // the configured authority alone, not the system's beside it
    // libcurl would keep what it read for a day, and a rotated authority be refused as long. Only new
    // connections read it.
    curl_easy_setopt(c, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  }
  if (!r.tls.certificate_file.empty()) curl_easy_setopt(c, CURLOPT_SSLCERT, r.tls.certificate_file.c_str());
  if (!r.tls.key_file.empty()) curl_easy_setopt(c, CURLOPT_SSLKEY, r.tls.key_file.c_str());
}

void CurlHttpClient::start(HttpRequest request, Callback done) {
  CURLM* m = multi();
  if (DirectTransfers::takes(request)) {
    direct_.start(m, std::move(request), std::move(done));
    return;
  }
  auto t = std::make_unique<Transfer>();
  t->easy = take_easy();
  t->request = std::move(request);
  t->done = std::move(done);
  configure(*t);
  curl_multi_add_handle(m, t->easy.get());
  active_.push_back(std::move(t));
}

void CurlHttpClient::run_once(std::chrono::milliseconds max_wait) {
  CURLM* m = multi_.load();
  if (m == nullptr) {
    std::unique_lock lock(mutex_);
    wake_up_.wait_for(lock, max_wait, [this] { return woken_; });
    woken_ = false;
    return;
  }
  int running = 0;
  curl_multi_perform(m, &running);
  if (collect_finished()) return;
  sockets_.clear();
  direct_.wait_for(sockets_);
  const auto wait = direct_.time_to_next(std::max(max_wait, std::chrono::milliseconds(0)));
  curl_multi_poll(m, sockets_.data(), static_cast<unsigned>(sockets_.size()), static_cast<int>(wait.count()),
                  nullptr);
  curl_multi_perform(m, &running);
  collect_finished();
}

bool CurlHttpClient::collect_finished() {
  CURLM* m = multi_.load();
  std::vector<std::pair<Transfer*, CURLcode>> finished;
  int left = 0;
  while (CURLMsg* msg = curl_multi_info_read(m, &left)) {
    if (msg->msg != CURLMSG_DONE) continue;
    if (direct_.on_connected(msg->easy_handle, msg->data.result)) continue;
    void* owner = nullptr;
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &owner);
    finished.emplace_back(static_cast<Transfer*>(owner), msg->data.result);
  }
  for (const auto& [t, code] : finished) finish(t, code);
  const bool direct = direct_.advance();
  return direct || !finished.empty();
}

void CurlHttpClient::finish(Transfer* t, CURLcode code) {
  const auto it = std::find_if(active_.begin(), active_.end(), [t](const auto& a) { return a.get() == t; });
  if (it == active_.end()) return;  // a callback before this one cancelled everything
  const std::unique_ptr<Transfer> owned = std::move(*it);
  active_.erase(it);
  curl_multi_remove_handle(multi_.load(), owned->easy.get());
  HttpResult result;
  if (code == CURLE_OK) {
    curl_easy_getinfo(owned->easy.get(), CURLINFO_RESPONSE_CODE, &owned->response.status);
    owned->response.sent_more_than_once = owned->times_sent > 1;
    owned->response.body.reserve(owned->response.body.size() + kAnswerPadding);
    result = std::move(owned->response);
  } else {
    result = std::unexpected(
        classify({code, owned->easy.get(), owned->error, owned->request, owned->times_sent > 0,
                  owned->too_large, !owned->response.headers.empty()}));
  }
  if (idle_.size() < kIdleHandles) {
    curl_easy_reset(owned->easy.get());  // forgets every pointer into the transfer
    idle_.push_back(std::move(owned->easy));
  }
  owned->done(std::move(result));
}

void CurlHttpClient::wake() {
  const std::lock_guard lock(mutex_);
  if (CURLM* m = multi_.load()) {
    curl_multi_wakeup(m);
    return;
  }
  woken_ = true;
  wake_up_.notify_one();
}

void CurlHttpClient::cancel_all() {
  std::vector<std::unique_ptr<Transfer>> cancelled = std::move(active_);
  active_.clear();
  const auto direct = direct_.drop_all();
  const TransportError error{TransportError::Kind::other, true, "cancelled"};
  for (auto& t : cancelled) {
    curl_multi_remove_handle(multi_.load(), t->easy.get());
    t->done(std::unexpected(error));
  }
  for (const auto& done : direct) done(std::unexpected(error));
}

}  // namespace

std::unique_ptr<HttpClient> make_curl_http_client() {
  return std::make_unique<CurlHttpClient>();
}

}  // namespace sidelight
