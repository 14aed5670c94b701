// Settings of the Logstash output.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/http_client.h"

namespace sidelight {

enum class LogstashProtocol {
  lumberjack,  // Lumberjack v2, what the beats input speaks: acknowledged
  http,        // JSON arrays to the http input: acknowledged
  tcp,         // JSON lines to the tcp input: never acknowledged by Logstash
};

inline constexpr std::uint16_t kLogstashPort =
    5044;  // where a host is given without one; of the beats input's examples

struct LogstashOptions {
  std::vector<std::string> hosts;  // host[:port]; http: http(s)://host[:port][/path]
  LogstashProtocol protocol = LogstashProtocol::lumberjack;
  bool load_balance = false;       // all hosts at a time instead of one and, when it fails, another
  int compression_level = 3;       // zlib 1..9, 0: none; http and lumberjack
  std::size_t pipelining = 2;      // windows or requests in flight for each host
  std::size_t window = 2048;       // documents in one window or request at most
  std::string beat = "sidelight";  // @metadata.beat; lumberjack
  std::optional<TlsOptions> tls;   // present: TLS. http: for https:// hosts
  std::string username;            // basic authentication; http
  std::string password;
  std::string password_file;
  std::string proxy;                         // http
  std::chrono::milliseconds timeout{30000};  // without any sign of life
  std::chrono::milliseconds connect_timeout{10000};
  std::chrono::milliseconds connection_age{
      300000};  // then it is made anew: names and balancers may have moved; 0: never
  std::chrono::milliseconds backoff_initial{200};
  std::chrono::milliseconds backoff_max{30000};
};

}  // namespace sidelight
