// Addresses to listen on, as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/error.h"

namespace sidelight {

struct ListenAddress {
  std::string host;  // "" for every address of the machine; an IPv6 address without brackets
  std::uint16_t port = 0;
};

// "127.0.0.1:9464", "[::1]:9464", "localhost:9464", ":9464", and also "fd00::5:9464" (an IPv6 address without
// brackets, which is what
// "${POD_IP}:9464" becomes in an IPv6 cluster): the port is what follows the last colon. Port 0 takes any
// free one.
Expected<ListenAddress> parse_listen_address(std::string_view text);

// A valid address with the port that was taken in place of the one that was asked for.
std::string with_port(std::string_view text, std::uint16_t port);

}  // namespace sidelight
