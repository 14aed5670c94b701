#include "agent/parse/http_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace sidelight {
namespace {

struct Variable {
  std::string_view name;
  std::string_view ecs;
};

// nginx's variable names, and the short ones that people use as keys in extended formats.
constexpr auto kVariables = std::to_array<Variable>({
    {"remote_addr", "source.ip"},
    {"remote_port", "source.port"},
    {"remote_user", "user.name"},
    {"status", "http.response.status_code"},
    {"body_bytes_sent", "http.response.body.bytes"},
    {"bytes_sent", "http.response.bytes"},
    {"request_length", "http.request.bytes"},
    {"content_length", "http.request.body.bytes"},
    {"content_type", "http.request.mime_type"},
    {"http_referer", "http.request.referrer"},
    {"http_user_agent", "user_agent.original"},
    {"request_method", "http.request.method"},
    {"request_uri", "url.original"},
    {"request_id", "http.request.id"},
    {"uri", "url.path"},
    {"args", "url.query"},
    {"query_string", "url.query"},
    {"scheme", "url.scheme"},
    {"host", "url.domain"},
    {"http_host", "url.domain"},
    {"server_addr", "server.ip"},
    {"server_port", "server.port"},
    {"pid", "process.pid"},
    {"ssl_cipher", "tls.cipher"},
});

FieldValue text(std::string_view s) {
  return {Shape::text, false, s};
}

void put_named(RecordBuilder& builder, std::string_view ecs, std::string_view key, std::string_view value) {
  const auto field = find_ecs(ecs);
  if (!field || !builder.put_ecs(*field, key, text(value))) builder.put_label(key, text(value));
}

bool is_method(std::string_view s) {
  return !s.empty() && s.size() <= 20 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

// "0.123" seconds as whole nanoseconds, exactly.
std::optional<std::int64_t> seconds_to_ns(std::string_view s) {
  static constexpr std::int64_t kMost = 1'000'000'000;  // thirty years
  std::int64_t whole = 0;
  const char* end = s.data() + s.size();
  auto [p, error] = std::from_chars(s.data(), end, whole);
  if (error != std::errc() || whole < 0 || whole > kMost) return std::nullopt;
  std::int64_t ns = whole * 1'000'000'000;
  if (p != end && *p == '.') {
    std::int64_t unit = 1'000'000'000;
    for (++p; p != end && *p >= '0' && *p <= '9'; ++p) ns += (unit /= 10) * (*p - '0');
  }
  if (p != end) return std::nullopt;
  return ns;
}

void put_duration(RecordBuilder& builder, std::string_view name, std::string_view value, Arena& arena) {
  const auto ns = seconds_to_ns(value);
  if (!ns) return builder.put_label(name, text(value));
  std::array<char, 20> digits{};
  const auto r = std::to_chars(digits.data(), digits.data() + digits.size(), *ns);
  const auto n = static_cast<std::size_t>(r.ptr - digits.data());
  put_named(builder, "event.duration", name, arena.copy({digits.data(), n}));
}

}  // namespace

void put_request_line(RecordBuilder& builder, std::string_view request) {
  const std::size_t first = request.find(' ');
  const std::size_t last = request.rfind(' ');
  const std::string_view method = request.substr(0, first);
  if (first == std::string_view::npos || first == last || !is_method(method) ||
      !request.substr(last + 1).starts_with("HTTP/")) {
    return builder.put_label("request", text(request));
  }
  const std::string_view target = request.substr(first + 1, last - first - 1);
  put_named(builder, "http.request.method", "http.request.method", method);
  put_named(builder, "http.version", "http.version", request.substr(last + 6));
  put_named(builder, "url.original", "url.original", target);
  if (!target.starts_with('/')) return;
  const std::size_t query = target.find('?');
  put_named(builder, "url.path", "url.path", target.substr(0, query));
  if (query != std::string_view::npos) put_named(builder, "url.query", "url.query", target.substr(query + 1));
}

void put_nginx_variable(RecordBuilder& builder, std::string_view name, std::string_view value, Arena& arena) {
  if (value.empty() || value == "-") return;
  if (name == "request") return put_request_line(builder, value);
  if (name == "request_time" || name == "rt") return put_duration(builder, name, value, arena);
  if (name == "time_local" || name == "time_iso8601" || name == "msec") {
    if (!builder.put_time(name, name == "time_local" ? 2 : 1, text(value)))
      builder.put_label(name, text(value));
    return;
  }
  if (name == "server_protocol" && value.starts_with("HTTP/")) {
    return put_named(builder, "http.version", name, value.substr(5));
  }
  for (const Variable& v : kVariables) {
    if (v.name == name) return put_named(builder, v.ecs, name, value);
  }
  builder.put_label(name, text(value));
}

}  // namespace sidelight
