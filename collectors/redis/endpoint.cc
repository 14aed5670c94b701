#include "collectors/redis/endpoint.h"

#include "agent/base/host_port.h"

namespace sidelight {
namespace {

constexpr std::string_view kExpected = "expected redis://HOST:PORT, or rediss:// for TLS";

Expected<RedisEndpoint> endpoint(std::string_view host, std::uint16_t default_port, bool tls) {
  auto address = parse_host_port(host, default_port);
  if (!address) return std::unexpected(address.error());
  return RedisEndpoint{std::move(address->host), address->port, tls};
}

}  // namespace

std::string RedisEndpoint::node() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Expected<RedisEndpoint> parse_redis_url(std::string_view url, std::uint16_t default_port) {
  if (url.find('@') != std::string_view::npos)
    return fail("no user and password in the URL: use username and password_file");
  const bool tls = url.starts_with("rediss://");
  if (!tls && !url.starts_with("redis://")) return fail(std::string(kExpected));
  std::string_view rest = url.substr(tls ? 9 : 8);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos)
    return fail("nothing may follow the port (a server's metrics are those of all its databases); " +
                std::string(kExpected));
  return endpoint(rest, default_port, tls);
}

Expected<RedisEndpoint> parse_redis_host(std::string_view text, std::uint16_t default_port, bool tls) {
  if (text.find("://") != std::string_view::npos || text.find('@') != std::string_view::npos)
    return parse_redis_url(text, default_port);
  return endpoint(text, default_port, tls);
}

std::string check_redis_url(const std::string& url) {
  const auto parsed = parse_redis_url(url);
  return parsed ? std::string() : parsed.error().message;
}

std::string check_sentinel_host(const std::string& host) {
  const auto parsed = parse_redis_host(host, kSentinelPort, false);
  return parsed ? std::string() : parsed.error().message;
}

}  // namespace sidelight
