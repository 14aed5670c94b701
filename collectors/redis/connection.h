// One conversation with a Redis or Sentinel server.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/framework/blocking_stream.h"
#include "collectors/redis/endpoint.h"
#include "collectors/redis/options.h"
#include "collectors/redis/resp_reader.h"

namespace sidelight {

// A user whose password has been read.
struct RedisLogin {
  std::string username;
  std::optional<std::string> password;
};
Expected<RedisLogin> read_login(const RedisUser& user, FileSystem& fs);

// What an error reply means to the operator: which right or setting is missing.
std::string explain_redis_error(const std::string& reply, const std::string& username,
                                const std::string& command);

// One thread at a time. Errors begin with the node.
class RedisConnection {
 public:
  RedisConnection();
  // Ends an earlier conversation, connects and logs in.
  Expected<void> open(const RedisEndpoint& endpoint, const TlsOptions& tls, const RedisLogin& login,
                      const Deadline& deadline);
  // The reply; an error reply is an error. `command` holds no secret.
  Expected<RespValue> ask(const std::vector<std::string_view>& command, const Deadline& deadline);
  void close();

 private:
  Expected<RespValue> exchange(const std::vector<std::string_view>& words, const Deadline& deadline);
  Expected<void> log_in(const RedisLogin& login, const Deadline& deadline);

  BlockingStream stream_;
  std::unique_ptr<RespReader> reader_;
  std::string node_;
  std::string username_;
};

}  // namespace sidelight
