// Where a Redis or Sentinel listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/error.h"

namespace sidelight {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;

struct RedisEndpoint {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = kRedisPort;
  bool tls = false;
  // "10.0.0.7:6379", "[::1]:6379": the label `node`.
  std::string node() const;
};

// redis://HOST[:PORT][/] or rediss:// for TLS, as the IANA registrations have them. The error never repeats
// what may be a password.
Expected<RedisEndpoint> parse_redis_url(std::string_view url, std::uint16_t default_port = kRedisPort);
// The same, or HOST[:PORT] alone, which takes TLS from `tls`.
Expected<RedisEndpoint> parse_redis_host(std::string_view text, std::uint16_t default_port, bool tls);

// For the configuration: empty, or what is wrong.
std::string check_redis_url(const std::string& url);
std::string check_sentinel_host(const std::string& host);

}  // namespace sidelight
