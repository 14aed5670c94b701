// Settings of the memcached collector.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/http_client.h"
#include "collectors/framework/collector.h"

namespace sidelight {

constexpr std::uint16_t kMemcachedPort = 11211;

struct MemcachedOptions {
  TargetOptions target;
  std::string address;   // HOST[:PORT]
  std::string username;  // for servers with an authentication file (-Y)
  std::string password;  // or password_file
  std::string password_file;
  std::optional<TlsOptions> tls;  // for servers with -Z
};

}  // namespace sidelight
