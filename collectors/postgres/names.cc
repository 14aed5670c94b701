#include "collectors/postgres/names.h"

#include <optional>

#include "agent/base/host_port.h"

namespace sidelight {
namespace {

constexpr std::uint16_t kDefaultPort = 5432;
constexpr const char* kExpectedUrl = "expected postgresql://HOST:PORT/DATABASE";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || high * 16 + low == 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// Takes one name from the front; nothing when there is none.
std::optional<std::string> take_name(std::string_view& text) {
  std::string out;
  if (!text.starts_with('"')) {
    const std::size_t end = text.find_first_of(".\"");
    out = text.substr(0, end);
    text.remove_prefix(out.size());
    return out.empty() ? std::nullopt : std::optional(out);
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      out += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      out += text[i++];
    } else {
      text.remove_prefix(i + 1);
      return out.empty() ? std::nullopt : std::optional(out);
    }
  }
  return std::nullopt;
}

}  // namespace

Expected<PostgresPlace> parse_postgres_url(std::string_view url) {
  const std::string expected = kExpectedUrl;
  std::string_view rest = url;
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  if (rest.size() == url.size() || url.find('\0') != std::string_view::npos) return fail(expected);
  if (rest.find_first_of("?#") != std::string_view::npos)
    return fail("parameters are not taken from the URL, they have keys of their own; " + expected);
  const std::size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (rest.find('@') != std::string_view::npos)
    return fail("credentials do not belong into the URL: use username and password_file; " + expected);
  if (authority.find(',') != std::string_view::npos)
    return fail("one host only; give a target for each server; " + expected);
  if (slash == std::string_view::npos || slash + 1 == rest.size())
    return fail("the URL names no database; " + expected);
  const auto database = percent_decoded(rest.substr(slash + 1));
  if (!database || database->find('/') != std::string::npos)
    return fail("the URL's path is no name of a database; " + expected);

  PostgresPlace out{.host = {}, .port = kDefaultPort, .database = *database};
  if (authority.starts_with("%2F") || authority.starts_with("%2f")) {
    const std::size_t colon = authority.rfind(':');
    const auto folder = percent_decoded(authority.substr(0, colon));
    if (!folder) return fail("the folder in the URL is not written in percent codes; " + expected);
    out.host = *folder;
    if (colon == std::string_view::npos) return out;
    auto port = parse_host_port("h" + std::string(authority.substr(colon)), kDefaultPort);
    if (!port) return fail("the URL has a port that is none; " + expected);
    out.port = port->port;
    return out;
  }
  auto place = parse_host_port(authority, kDefaultPort);
  if (!place) return fail("the URL names no host or a port that is none; " + expected);
  out.host = std::move(place->host);
  out.port = place->port;
  return out;
}

Expected<TableName> parse_table_name(std::string_view text) {
  const auto wrong = [] {
    return fail(
        "expected TABLE or SCHEMA.TABLE, for example public.orders; names with dots in double quotes");
  };
  if (text.find('\0') != std::string_view::npos) return wrong();
  auto first = take_name(text);
  if (!first) return wrong();
  if (text.empty()) return TableName{"public", std::move(*first)};
  if (!text.starts_with('.')) return wrong();
  text.remove_prefix(1);
  auto second = take_name(text);
  if (!second || !text.empty()) return wrong();
  return TableName{std::move(*first), std::move(*second)};
}

std::string array_literal(const std::vector<std::string>& items) {
  std::string out = "{";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : item) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

}  // namespace sidelight
