#include "agent/base/host_port.h"

#include <charconv>

namespace sidelight {
namespace {

constexpr std::string_view kExpected = "expected HOST or HOST:PORT, for example logstash:5044";

Expected<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535)
    return fail("\"" + std::string(text) + "\" is no port; " + std::string(kExpected));
  return static_cast<std::uint16_t>(port);
}

}  // namespace

Expected<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  if (text.find("://") != std::string_view::npos)
    return fail("a URL where none is wanted; " + std::string(kExpected));
  HostPort out;
  out.port = default_port;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return fail("the bracket of an IPv6 address is not closed; " + std::string(kExpected));
    out.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const auto colon = text.find(':');
    // Two colons and no brackets: an IPv6 address alone.
    const bool bare_v6 =
        colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos;
    out.host = bare_v6 ? text : text.substr(0, colon);
    rest = bare_v6 || colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (out.host.empty() || out.host.find_first_of(" \t/@?#\"'") != std::string::npos)
    return fail("\"" + std::string(text) + "\" names no host; " + std::string(kExpected));
  if (rest.empty()) return out;
  if (rest[0] != ':')
    return fail("\"" + std::string(rest) + "\" follows the host; " + std::string(kExpected));
  const auto port = parse_port(rest.substr(1));
  if (!port) return std::unexpected(port.error());
  out.port = *port;
  return out;
}

}  // namespace sidelight
