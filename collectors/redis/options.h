// Settings of the redis collector.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/http_client.h"
#include "collectors/framework/collector.h"

namespace sidelight {

// Who may ask; secrets' files are read at each run.
struct RedisUser {
  std::string username;  // empty: the default user
  std::string password;  // or password_file; neither: none is sent
  std::string password_file;
};

struct SentinelOptions {
  std::string master;              // the name that Sentinel knows it by
  std::vector<std::string> hosts;  // HOST[:PORT], or URLs as of a server
  RedisUser user;                  // of the Sentinels themselves
};

struct RedisOptions {
  TargetOptions target;
  std::string url;                          // redis(s)://HOST[:PORT]; or sentinel
  std::optional<SentinelOptions> sentinel;  // finds the primary and its replicas
  bool replicas = false;                    // with url: also ask the replicas that the server names
  RedisUser user;
  std::optional<TlsOptions> tls;  // with sentinel: its presence means TLS to all
};

}  // namespace sidelight
