#include "agent/send/elasticsearch/credentials.h"

#include <chrono>
#include <string_view>

namespace sidelight {
namespace {

constexpr std::chrono::seconds kLookInterval{1};
constexpr std::size_t kMaxSecret = 64 * 1024;

std::string without_last_newline(std::string s) {
  while (!s.empty() && (s.back() == '\n' || s.back() == '\r')) s.pop_back();
  return s;
}

}  // namespace

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) out += j <= n ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

Credentials::Credentials(const ElasticsearchOptions& o, FileSystem& fs, const Clock& clock)
    : fs_(fs), clock_(clock) {
  std::string secret;
  if (!o.api_key.empty() || !o.api_key_file.empty()) {
    scheme_ = Scheme::api_key;
    secret = o.api_key;
    file_ = o.api_key_file;
  } else if (!o.bearer_token.empty() || !o.bearer_token_file.empty()) {
    scheme_ = Scheme::bearer;
    secret = o.bearer_token;
    file_ = o.bearer_token_file;
  } else if (!o.username.empty()) {
    scheme_ = Scheme::basic;
    username_ = o.username;
    secret = o.password;
    file_ = o.password_file;
  }
  if (file_.empty()) {
    value_ = format(secret);
    known_ = true;
  }
}

std::string Credentials::format(const std::string& secret) const {
  switch (scheme_) {
    case Scheme::none:
      return {};
    case Scheme::basic:
      return "Basic " + base64(username_ + ":" + secret);
    case Scheme::bearer:
      return "Bearer " + secret;
    case Scheme::api_key:
      // "id:key" as the servers print it, or the form already encoded, which holds no colon.
      return "ApiKey " + (secret.find(':') == std::string::npos ? secret : base64(secret));
  }
  return {};
}

Expected<std::string> Credentials::header() {
  if (file_.empty()) return value_;
  const MonoTime now = clock_.now();
  if (known_ && !stale_ && now - looked_ < kLookInterval) return value_;
  looked_ = now;
  const auto stat = fs_.stat(file_);
  if (stat && known_ && !stale_ && stat->mtime_ns == mtime_ns_ && stat->inode == inode_) return value_;
  auto text = fs_.read_file(file_, kMaxSecret);
  if (!text) {
    if (known_) return value_;
    return fail("cannot read the credentials in " + file_ + ": " + text.error().message, text.error().code);
  }
  value_ = format(without_last_newline(std::move(*text)));
  known_ = true;
  stale_ = false;
  if (stat) {
    mtime_ns_ = stat->mtime_ns;
    inode_ = stat->inode;
  }
  return value_;
}

}  // namespace sidelight
