// libcurl behind HttpClient. Checked against libcurl 7.88 (OpenSSL): error codes and messages are classified
// here and nowhere else.
#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/base/http_client.h"

namespace sidelight {
namespace {

constexpr long kReceiveBuffer = 64L << 10;
constexpr long kUploadBuffer =
    256L << 10;                        // fits a second-level cache; libcurl holds it during an upload only
constexpr long kDnsCacheSeconds = 30;  // names are resolved again after this
constexpr long kConnectionLifeSeconds = 300;  // a connection is renewed, so that a moved name is followed
constexpr std::size_t kIdleHandles = 4;
constexpr std::size_t kJsonPadding = 64;  // readers of answers (simdjson) want room behind the text

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
  std::string name(trimmed(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  t.response.headers.emplace_back(std::move(name), std::string(trimmed(line.substr(colon + 1))));
  return n;
}

int on_sending(void* user, char* /*to*/, char* /*from*/, int /*to_port*/, int /*from_port*/) {
  ++static_cast<Transfer*>(user)->times_sent;
  return CURL_PREREQFUNC_OK;
}

bool is_tls_code(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_USE_SSL_FAILED:
      return true;
    default:
      return false;
  }
}

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

// What a person has to change, in one sentence; the library's own words stay in brackets.
std::string tls_message(CURLcode code, const std::string& detail, const HttpRequest& request) {
  const std::string ca =
      request.tls.ca_file.empty() ? "the system's authorities" : "the authorities in " + request.tls.ca_file;
  std::string what;
  if (code == CURLE_SSL_CACERT_BADFILE) {
    what = "the CA file " + request.tls.ca_file + " cannot be used";
  } else if (code == CURLE_SSL_CERTPROBLEM) {
    what = "our client certificate " + request.tls.certificate_file + " or its key " + request.tls.key_file +
           " cannot be used";
  } else if (contains(detail, "not yet valid")) {
    what = "the server's certificate is not valid yet (compare the clocks)";
  } else if (contains(detail, "expired")) {
    what = "the server's certificate has expired";
  } else if (contains(detail, "subject name") || contains(detail, "host name")) {
    what = "the server's certificate is for another name";
  } else if (contains(detail, "self-signed") || contains(detail, "self signed") ||
             contains(detail, "issuer certificate") || contains(detail, "unable to verify")) {
    what = "the server's certificate is not signed by " + ca;
  } else if (contains(detail, "wrong version number")) {
    what = "the server does not speak TLS on this port (http instead of https?)";
  } else if (contains(detail, "certificate required") || contains(detail, "alert bad certificate") ||
             contains(detail, "alert handshake failure") || contains(detail, "alert unknown ca")) {
    what = "the server refused our client certificate (or wants one)";
  } else {
    what = "the TLS handshake failed";
  }
  return what + " [" + detail + "]";
}

// "Failed to connect to es port 9200 after 3 ms: Couldn't connect to server", with the reason in place of the
// echo.
std::string connect_message(const Transfer& t, std::string detail) {
  long os_error = 0;
  curl_easy_getinfo(t.easy.get(), CURLINFO_OS_ERRNO, &os_error);
  if (os_error == 0) return detail;
  const std::string_view echo = curl_easy_strerror(CURLE_COULDNT_CONNECT);
  if (detail.ends_with(echo)) detail.resize(detail.size() - echo.size());
  return detail + (detail.ends_with(": ") || detail.empty() ? "" : ": ") +
         std::generic_category().message(static_cast<int>(os_error));
}

// A server that refuses the client of a TLS 1.3 connection cuts it after the handshake; its alert may get
// lost in that.
bool cut_after_handshake(const Transfer& t, CURLcode code) {
  long new_connections = 0;
  curl_easy_getinfo(t.easy.get(), CURLINFO_NUM_CONNECTS, &new_connections);
  const bool cut = code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
  return cut && new_connections > 0 && t.request.url.starts_with("https") && t.response.headers.empty();
}

TransportError classify(CURLcode code, const Transfer& t) {
  const bool sent = t.times_sent > 0;
  std::string detail = t.error[0] != '\0' ? t.error : curl_easy_strerror(code);
  using Kind = TransportError::Kind;
  if (t.too_large) {
    return {Kind::too_large, true,
            "the answer is larger than " + std::to_string(t.request.max_response_bytes) + " bytes"};
  }
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    return {Kind::resolve, sent, std::move(detail)};
  }
  if (code == CURLE_COULDNT_CONNECT) return {Kind::connect, sent, connect_message(t, std::move(detail))};
  if (is_tls_code(code)) return {Kind::tls, sent, tls_message(code, detail, t.request)};
  if (code == CURLE_OPERATION_TIMEDOUT) return {Kind::timeout, sent, std::move(detail)};
  if (code == CURLE_RECV_ERROR &&
      contains(detail, "alert")) {  // TLS 1.3: a refused client learns it at its first read
    return {Kind::tls, sent, tls_message(code, detail, t.request)};
  }
  if (contains(detail, "getpeername()")) detail = curl_easy_strerror(code);  // its trouble, not its cause
  if (sent && cut_after_handshake(t, code)) {
    return {Kind::reset, sent,
            "the connection was cut right after the TLS handshake: the server is not well, or it refused our "
            "client "
            "certificate (or wants one) [" +
                detail + "]"};
  }
  switch (code) {
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_AGAIN:
      return {Kind::reset, sent, std::move(detail)};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Kind::other, false, std::move(detail)};
    default:
      return {Kind::other, sent, std::move(detail)};
  }
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
  }
  if (!r.tls.certificate_file.empty()) curl_easy_setopt(c, CURLOPT_SSLCERT, r.tls.certificate_file.c_str());
  if (!r.tls.key_file.empty()) curl_easy_setopt(c, CURLOPT_SSLKEY, r.tls.key_file.c_str());
}

void CurlHttpClient::start(HttpRequest request, Callback done) {
  CURLM* m = multi();
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
  curl_multi_poll(m, nullptr, 0, static_cast<int>(std::max<std::int64_t>(0, max_wait.count())), nullptr);
  curl_multi_perform(m, &running);
  collect_finished();
}

bool CurlHttpClient::collect_finished() {
  CURLM* m = multi_.load();
  std::vector<std::pair<Transfer*, CURLcode>> finished;
  int left = 0;
  while (CURLMsg* msg = curl_multi_info_read(m, &left)) {
    if (msg->msg != CURLMSG_DONE) continue;
    void* owner = nullptr;
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &owner);
    finished.emplace_back(static_cast<Transfer*>(owner), msg->data.result);
  }
  for (const auto& [t, code] : finished) finish(t, code);
  return !finished.empty();
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
    owned->response.body.reserve(owned->response.body.size() + kJsonPadding);
    result = std::move(owned->response);
  } else {
    result = std::unexpected(classify(code, *owned));
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
  for (auto& t : cancelled) {
    curl_multi_remove_handle(multi_.load(), t->easy.get());
    t->done(std::unexpected(TransportError{TransportError::Kind::other, true, "cancelled"}));
  }
}

}  // namespace

std::unique_ptr<HttpClient> make_curl_http_client() {
  return std::make_unique<CurlHttpClient>();
}

}  // namespace sidelight
