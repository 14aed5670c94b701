#include "agent/status/page_access.h"

#include "agent/base/secret.h"

namespace sidelight {
namespace {

bool is_loopback(std::string_view listen) {
  return listen.starts_with("127.") || listen.starts_with("[::1]:") || listen.starts_with("localhost:");
}

// Takes as long for a near miss as for a far one.
bool same(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0U : 1U;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i])) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

std::string decode_base64(std::string_view text) {
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    unsigned digit = 0;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<unsigned>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<unsigned>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0') + 52;
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else {
      break;  // padding, or no base64
    }
    held = (held << 6 | digit) & 0xFFFFFFU;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(held >> bits & 0xFFU);
    }
  }
  return out;
}

// The token that the caller shows: a bearer token, or the password of any user (which is what browsers ask
// for).
std::string shown_token(std::string_view authorization) {
  if (authorization.starts_with("Bearer ")) return std::string(authorization.substr(7));
  if (!authorization.starts_with("Basic ")) return {};
  const std::string pair = decode_base64(authorization.substr(6));
  const std::size_t colon = pair.find(':');
  return colon == std::string::npos ? std::string() : pair.substr(colon + 1);
}

}  // namespace

HttpReply PageAccess::check(const HttpCall& call) const {
  if (options_.token_file.empty()) {
    if (is_loopback(options_.listen)) return {};
    return {403,
            "The status page is shut, since this port is open to others: set http.token_file, or look at it "
            "through a forwarded "
            "port of an instance that listens on 127.0.0.1. /metrics, /healthz and /readyz are open.\n",
            "text/plain; charset=utf-8",
            {}};
  }
  const auto token = read_secret(fs_, options_.token_file);
  if (!token || token->empty())
    return {503, "The token of the status page cannot be read.\n", "text/plain; charset=utf-8", {}};
  if (same(shown_token(call.authorization), *token)) return {};
  return {401,
          "Give the token of http.token_file, as a bearer token or as the password of any user.\n",
          "text/plain; charset=utf-8",
          {{"WWW-Authenticate", "Basic realm=\"sidelight\", charset=\"UTF-8\""}}};
}

}  // namespace sidelight
