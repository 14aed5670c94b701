#include "config/names.h"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>

#include "config/quantities.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxIndexBytes = 255;

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string check_index_characters(std::string_view name) {
  if (name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos)
    return "must be in lower case";
  if (name.find_first_of("\\/*?\"<>| ,#:\t") != std::string_view::npos) {
    return "must not hold any of \\ / * ? \" < > | , # : or a space";
  }
  if (name.find_first_of("-_+.") == 0) return "must not begin with - _ + or .";
  if (name.size() > kMaxIndexBytes) return "must not be longer than 255 bytes";
  return {};
}

struct UrlParts {
  std::string_view scheme, authority, rest;
};

std::optional<UrlParts> split_url(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view after = url.substr(colon + 3);
  const std::size_t end = std::min(after.find_first_of("/?#"), after.size());
  return UrlParts{url.substr(0, colon), after.substr(0, end), after.substr(end)};
}

std::string check_port(std::string_view port, std::int64_t least) {
  const auto number = parse_integer(port);
  if (number && *number >= least && *number <= 65535) return {};
  return "the port must be a number from " + std::to_string(least) + " to 65535";
}

// host, host:port or [v6]:port.
std::string check_host_and_port(std::string_view text, bool port_needed, std::int64_t least_port) {
  std::string_view host = text;
  std::string_view after;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return "[ without its ]";
    host = text.substr(1, close - 1);
    after = text.substr(close + 1);
    if (host.find_first_not_of("0123456789abcdefABCDEF:.%") != std::string_view::npos) {
      return "the brackets must hold an IPv6 address";
    }
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    after = text.substr(colon);
    if (!std::all_of(host.begin(), host.end(),
                     [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '*'; })) {
      return "the host holds a character that names do not have";
    }
  }
  if (host.empty()) return "the host is missing";
  if (after.empty()) return port_needed ? "the port is missing" : "";
  if (!after.starts_with(':')) return "only :PORT may follow the host";
  return check_port(after.substr(1), least_port);
}

std::string check_any_url(const std::string& url, const std::vector<std::string_view>& schemes,
                          bool credentials_allowed) {
  if (std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= ' '; })) {
    return "a URL has no spaces";
  }
  const auto parts = split_url(url);
  std::string known;
  for (const std::string_view s : schemes) known.append(known.empty() ? "" : ", ").append(s).append("://");
  if (!parts || std::find(schemes.begin(), schemes.end(), parts->scheme) == schemes.end()) {
    return "must begin with one of " + known;
  }
  std::string_view authority = parts->authority;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (!credentials_allowed) {
      return "must not hold credentials; use username and password_file (or api_key_file) instead";
    }
    authority.remove_prefix(at + 1);
  }
  return check_host_and_port(authority, false, 1);
}

// Edit distance with neighbour swaps (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t swap_cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + swap_cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// "dataStream", "Data-Stream" and "data_stream" are the same word to a person.
std::string folded(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (is_alnum(c)) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

std::string check_data_stream_name(const std::string& name) {
  // The server would take it, as it is.
  if (name.contains('%')) return "% stands for dates in index only; a data stream has one name for all days";
  return check_index_characters(name);
}

std::string check_index_pattern(const std::string& pattern) {
  std::string plain;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      plain += pattern[i];
      continue;
    }
    ++i;
    if (i >= pattern.size() || std::string_view("YmdH").find(pattern[i]) == std::string_view::npos) {
      return "after % only Y, m, d or H may stand, as in shop-%Y.%m.%d";
    }
    plain += "0000";
  }
  return check_index_characters(plain);
}

std::string check_url(const std::string& url) {
  if (const auto parts = split_url(url); parts && parts->rest.find_first_of("?#") != std::string_view::npos) {
    return "must not hold a query or a fragment";
  }
  return check_any_url(url, {"http", "https"}, false);
}

std::string check_proxy_url(const std::string& url) {
  return check_any_url(url, {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}, true);
}

std::string check_listen(const std::string& address) {
  if (address.starts_with(':'))
    return "the host is missing; 127.0.0.1 for this machine, 0.0.0.0 for everyone";
  // "${POD_IP}:9464" is an IPv6 address without brackets in an IPv6 cluster; its port is behind the last
  // colon.
  const std::size_t colon = address.rfind(':');
  in6_addr parsed{};
  if (colon != std::string::npos && ::inet_pton(AF_INET6, address.substr(0, colon).c_str(), &parsed) == 1)
    return check_port(address.substr(colon + 1), 0);
  return check_host_and_port(address, true, 0);
}

std::string check_regex(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 compiled(pattern, options);
  if (compiled.ok()) return {};
  // The library's message may quote the pattern, which the caller prints where it may be printed.
  std::string out = "not a regular expression of RE2";
  const std::string& argument = compiled.error_arg();
  switch (compiled.error_code()) {
    case RE2::ErrorMissingParen:
      return out + ": a parenthesis has no partner";
    case RE2::ErrorMissingBracket:
      return out + ": a bracket [ has no partner";
    case RE2::ErrorRepeatArgument:
      return out + ": * + ? or {n} has nothing to repeat";
    case RE2::ErrorTrailingBackslash:
      return out + ": a backslash at the end";
    case RE2::ErrorBadPerlOp:
      return out + ": \"" + argument + "\" is not supported (no look-around and no back-references)";
    case RE2::ErrorBadEscape:
      return out + ": the escape \"" + argument + "\" is not known";
    case RE2::ErrorBadNamedCapture:
      return out + ": a group is named as in (?P<name>...), each name once";
    case RE2::ErrorPatternTooLarge:
      return out + ": too large";
    default:
      return out + ": " + compiled.error();
  }
}

std::string check_timezone(const std::string& zone) {
  if (zone == "UTC") return {};
  if (zone.starts_with('+') || zone.starts_with('-')) {
    const bool shaped = zone.size() == 6 && zone[3] == ':';
    const auto hours = shaped ? parse_integer(zone.substr(1, 2)) : std::nullopt;
    const auto minutes = shaped ? parse_integer(zone.substr(4, 2)) : std::nullopt;
    if (hours && minutes && *hours >= 0 && *hours <= 14 && *minutes >= 0 && *minutes <= 59) return {};
    return "an offset is written as +03:00";
  }
  const bool shaped = !zone.empty() && zone.find("..") == std::string::npos && zone.front() != '/' &&
                      std::all_of(zone.begin(), zone.end(), [](char c) {
                        return is_alnum(c) || c == '/' || c == '_' || c == '-' || c == '+' || c == '.';
                      });
  return shaped ? "" : "must be UTC, an offset such as +03:00, or a name such as Europe/Moscow";
}

std::string url_host(const std::string& url) {
  const auto parts = split_url(url);
  if (!parts) return {};
  std::string_view authority = parts->authority;
  if (authority.starts_with('[')) return std::string(authority.substr(1, authority.find(']') - 1));
  return std::string(authority.substr(0, authority.find(':')));
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestKey = 64;  // longer is no slip of the keyboard, and would cost time
  if (word.size() > kLongestKey) return {};
  const std::string wanted = folded(word);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t d = distance(wanted, folded(candidate));
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace sidelight
