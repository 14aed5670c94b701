#include "collectors/redis/connection.h"

#include <algorithm>
#include <utility>

#include "agent/base/secret.h"

namespace sidelight {
namespace {

constexpr std::size_t kShownBytes = 200;

// A command as an array of bulk strings.
std::string encode(const std::vector<std::string_view>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n";
    out.append(word).append("\r\n");
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kShownBytes));
  std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace

Expected<RedisLogin> read_login(const RedisUser& user, FileSystem& fs) {
  RedisLogin login{user.username, std::nullopt};
  if (!user.password.empty()) login.password = user.password;
  if (!user.password_file.empty()) {
    auto secret = read_secret(fs, user.password_file);
    if (!secret) return std::unexpected(secret.error());
    login.password = std::move(*secret);
  }
  return login;
}

std::string explain_redis_error(const std::string& reply, const std::string& username,
                                const std::string& command) {
  const std::string who = username.empty() ? "the default user" : "user " + username;
  const std::string code = reply.substr(0, std::min(reply.find(' '), kShownBytes));
  if (code == "WRONGPASS")
    return "wrong password of " + who + ", or there is no such user or it is switched off";
  if (code == "NOAUTH") return "it wants a password: give password_file (and username)";
  if (code == "NOPERM")
    return who + " lacks a right: ACL SETUSER " + (username.empty() ? "default" : username) + " +" + command;
  // What the server says about a command may repeat its words, which for AUTH are the password.
  if (command == "auth") {
    if (reply.find("without any password configured") != std::string::npos)
      return "a password is configured here, and the server has none for the default user";
    return "it refused AUTH (" + printable(code) + ")";
  }
  return "it answered " + command + " with: " + printable(reply);
}

RedisConnection::RedisConnection() : stream_(RespReader::kMaxBytes) {}

Expected<void> RedisConnection::open(const RedisEndpoint& endpoint, const TlsOptions& tls,
                                     const RedisLogin& login, const Deadline& deadline) {
  node_ = endpoint.node();
  username_ = login.username;
  reader_ = std::make_unique<RespReader>();
  StreamTarget target;
  target.host = endpoint.host;
  target.port = endpoint.port;
  if (endpoint.tls) target.tls = tls;
  if (auto done = stream_.connect(std::move(target), deadline); !done)
    return fail(node_ + ": " + done.error().message);
  return log_in(login, deadline);
}

Expected<void> RedisConnection::log_in(const RedisLogin& login, const Deadline& deadline) {
  if (!login.password) return {};
  std::vector<std::string_view> words{"AUTH"};
  if (!login.username.empty()) words.emplace_back(login.username);
  words.emplace_back(*login.password);
  auto reply = exchange(words, deadline);
  if (!reply) return std::unexpected(reply.error());
  if (reply->type == RespValue::Type::text && reply->text == "OK") return {};
  if (reply->type != RespValue::Type::error) return fail(node_ + ": the answer to AUTH is no answer to AUTH");
  return fail(node_ + ": " + explain_redis_error(reply->text, username_, "auth"));
}

Expected<RespValue> RedisConnection::ask(const std::vector<std::string_view>& command,
                                         const Deadline& deadline) {
  auto reply = exchange(command, deadline);
  if (!reply || reply->type != RespValue::Type::error) return reply;
  std::string name(command.front());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return fail(node_ + ": " + explain_redis_error(reply->text, username_, name));
}

Expected<RespValue> RedisConnection::exchange(const std::vector<std::string_view>& words,
                                              const Deadline& deadline) {
  const std::string request = encode(words);
  if (auto done = stream_.write(request, deadline); !done) return fail(node_ + ": " + done.error().message);
  while (true) {
    auto bytes = stream_.read(deadline);
    if (!bytes) return fail(node_ + ": " + bytes.error().message);
    auto reply = reader_->next(*bytes);
    if (!reply) {
      stream_.close();
      return fail(node_ + ": " + reply.error().message);
    }
    if (*reply) return std::move(**reply);
  }
}

void RedisConnection::close() {
  stream_.close();
}

}  // namespace sidelight
