// "logstash:5044", "[::1]", "10.0.0.7": how a host is written in a configuration.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/error.h"

namespace sidelight {

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
};

// `default_port` is for a text without one. An Error says what is wrong and what is expected.
Expected<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);

}  // namespace sidelight
