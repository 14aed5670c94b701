#include "agent/send/elasticsearch/credentials.h"

#include <chrono>
#include <string_view>

#include "agent/base/secret.h"

namespace sidelight {
namespace {

constexpr std::chrono::seconds kLookInterval{1};

}  // namespace

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

Credentials::Credentials(const std::string& username, const std::string& password,
                         const std::string& password_file, FileSystem& fs, const Clock& clock)
    : scheme_(username.empty() ? Scheme::none : Scheme::basic),
      username_(username),
      file_(username.empty() ? std::string() : password_file),
      fs_(fs),
      clock_(clock) {
  if (!file_.empty()) return;
  value_ = format(password);
  known_ = true;
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
  auto secret = read_secret(fs_, file_);
  if (!secret) {
    if (known_) return value_;
    return std::unexpected(secret.error());
  }
  value_ = format(*secret);
  known_ = true;
  stale_ = false;
  if (stat) {
    mtime_ns_ = stat->mtime_ns;
    inode_ = stat->inode;
  }
  return value_;
}

}  // namespace sidelight
