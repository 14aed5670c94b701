#include "agent/observe/listen_address.h"

#include <charconv>

namespace sidelight {

Expected<ListenAddress> parse_listen_address(std::string_view text) {
  const auto bad = [&](const char* why) {
    return fail("'" + std::string(text) + "' is not an address to listen on: " + why +
                "; write HOST:PORT, such as 127.0.0.1:9464");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("there is no port");
  const std::string_view digits = text.substr(colon + 1);
  ListenAddress out;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc() || end != digits.data() + digits.size())
    return bad("the port is not a number up to 65535");
  std::string_view host = text.substr(0, colon);
  const bool open = host.starts_with('[');
  if (open != host.ends_with(']')) return bad("brackets do not match");
  if (open) host = host.substr(1, host.size() - 2);
  if (open && host.find(':') == std::string_view::npos) return bad("brackets are for IPv6 addresses");
  out.host = host == "*" ? "" : std::string(host);
  return out;
}

std::string with_port(std::string_view text, std::uint16_t port) {
  return std::string(text.substr(0, text.rfind(':') + 1)) + std::to_string(port);
}

}  // namespace sidelight
