#include "agent/base/curl_errors.h"

#include <string>
#include <system_error>
#include <utility>

namespace sidelight {
namespace {

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
std::string connect_message(CURL* easy, std::string detail) {
  long os_error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
  if (os_error == 0) return detail;
  const std::string_view echo = curl_easy_strerror(CURLE_COULDNT_CONNECT);
  if (detail.ends_with(echo)) detail.resize(detail.size() - echo.size());
  return detail + (detail.ends_with(": ") || detail.empty() ? "" : ": ") +
         std::generic_category().message(static_cast<int>(os_error));
}

// A server that refuses the client of a TLS 1.3 connection cuts it after the handshake; its alert may get
// lost in that.
bool cut_after_handshake(const CurlFailure& f) {
  long new_connections = 0;
  curl_easy_getinfo(f.easy, CURLINFO_NUM_CONNECTS, &new_connections);
  const bool cut = f.code == CURLE_GOT_NOTHING || f.code == CURLE_RECV_ERROR || f.code == CURLE_SEND_ERROR;
  return cut && new_connections > 0 && f.request.url.starts_with("https") && !f.heard_head;
}

}  // namespace

TransportError classify(const CurlFailure& failure) {
  const CURLcode code = failure.code;
  const bool sent = failure.sent;
  std::string detail = failure.detail.empty() ? curl_easy_strerror(code) : std::string(failure.detail);
  using Kind = TransportError::Kind;
  if (failure.too_large) {
    return {Kind::too_large, true,
            "the answer is larger than " + std::to_string(failure.request.max_response_bytes) + " bytes"};
  }
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    return {Kind::resolve, sent, std::move(detail)};
  }
  if (code == CURLE_COULDNT_CONNECT)
    return {Kind::connect, sent, connect_message(failure.easy, std::move(detail))};
  if (is_tls_code(code)) return {Kind::tls, sent, tls_message(code, detail, failure.request)};
  if (code == CURLE_OPERATION_TIMEDOUT) return {Kind::timeout, sent, std::move(detail)};
  if (code == CURLE_RECV_ERROR &&
      contains(detail, "alert")) {  // TLS 1.3: a refused client learns it at its first read
    return {Kind::tls, sent, tls_message(code, detail, failure.request)};
  }
  if (contains(detail, "getpeername()")) detail = curl_easy_strerror(code);  // its trouble, not its cause
  if (sent && cut_after_handshake(failure)) {
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
    case CURLE_UNSUPPORTED_PROTOCOL:  // of the URL; or what came back is not HTTP
      return {sent ? Kind::reset : Kind::other, sent, std::move(detail)};
    default:
      return {Kind::other, sent, std::move(detail)};
  }
}

}  // namespace sidelight
