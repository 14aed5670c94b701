#include "agent/parse/key_roles.h"

#include <array>
#include <cstddef>

namespace sidelight {
namespace {

struct Alias {
  std::string_view key;
  Role role;
  std::uint8_t rank = 0;
  std::string_view ecs = {};  // Role::ecs*: the field
};

// Sources: the default key names of logback/Logstash, log4j2, Serilog, .NET, zap, zerolog, logrus, slog, Caddy, pino, bunyan, winston,
// structlog, python-json-logger, Monolog, tracing (Rust), GELF, Google Cloud, AWS, PostgreSQL jsonlog, MongoDB, nginx, RabbitMQ, Datadog.
using enum Role;
constexpr auto kAliases = std::to_array<Alias>({
    {"@timestamp", time, 0},     {"timestamp", time, 1},      {"Timestamp", time, 1},       {"ts", time, 2},
    {"time", time, 3},           {"Time", time, 3},           {"datetime", time, 4},        {"asctime", time, 4},
    {"@t", time, 4},             {"eventTime", time, 5},      {"event_time", time, 5},      {"time_iso8601", time, 5},
    {"timeMillis", time, 6},     {"date", time, 7},           {"t", time, 8},               {"t.$date", time, 8},
    {"msec", time, 9},           {"time_local", time, 9},

    {"log.level", level, 0},     {"level", level, 1},         {"Level", level, 1},          {"lvl", level, 2},
    {"severity", level, 3},      {"Severity", level, 3},      {"loglevel", level, 3},       {"logLevel", level, 3},
    {"log_level", level, 3},     {"LogLevel", level, 3},      {"levelname", level, 4},      {"level_name", level, 0},
    {"error_severity", level, 4}, {"syslog_severity", level, 5}, {"severityText", level, 4}, {"@l", level, 4},
    {"levelName", level, 4},     {"status_level", level, 6},

    {"message", message, 0},     {"Message", message, 0},     {"msg", message, 1},          {"Msg", message, 1},
    {"@m", message, 1},          {"fields.message", message, 2}, {"short_message", message, 2}, {"RenderedMessage", message, 2},
    {"text", message, 3},        {"event", message, 4},       {"log", message, 5},          {"@mt", message, 6},
    {"body", message, 7},

    {"trace_id", ecs, 0, "trace.id"},         {"traceId", ecs, 0, "trace.id"},          {"traceid", ecs, 0, "trace.id"},
    {"TraceId", ecs, 0, "trace.id"},          {"traceID", ecs, 0, "trace.id"},          {"dd.trace_id", ecs, 0, "trace.id"},
    {"@tr", ecs, 0, "trace.id"},              {"span_id", ecs, 0, "span.id"},           {"spanId", ecs, 0, "span.id"},
    {"spanid", ecs, 0, "span.id"},            {"SpanId", ecs, 0, "span.id"},            {"spanID", ecs, 0, "span.id"},
    {"dd.span_id", ecs, 0, "span.id"},        {"@sp", ecs, 0, "span.id"},               {"transaction_id", ecs, 0, "transaction.id"},
    {"transactionId", ecs, 0, "transaction.id"},

    {"logger", ecs_string, 0, "log.logger"},      {"logger_name", ecs_string, 0, "log.logger"},
    {"loggerName", ecs_string, 0, "log.logger"},  {"Logger", ecs_string, 0, "log.logger"},
    {"SourceContext", ecs_string, 0, "log.logger"},
    {"thread", ecs_string, 0, "process.thread.name"},      {"thread_name", ecs_string, 0, "process.thread.name"},
    {"threadName", ecs_string, 0, "process.thread.name"},  {"Thread", ecs_string, 0, "process.thread.name"},
    {"thread_id", ecs_number, 0, "process.thread.id"},     {"threadId", ecs_number, 0, "process.thread.id"},
    {"ThreadId", ecs_number, 0, "process.thread.id"},      {"tid", ecs_number, 0, "process.thread.id"},
    {"pid", ecs_number, 0, "process.pid"},                 {"process_id", ecs_number, 0, "process.pid"},

    {"error", ecs_string, 0, "error.message"},             {"err", ecs_string, 0, "error.message"},
    {"stack_trace", ecs_string, 0, "error.stack_trace"},   {"stacktrace", ecs_string, 0, "error.stack_trace"},
    {"stackTrace", ecs_string, 0, "error.stack_trace"},    {"StackTrace", ecs_string, 0, "error.stack_trace"},
    {"stack", ecs_string, 0, "error.stack_trace"},         {"exc_info", ecs_string, 0, "error.stack_trace"},
    {"exc_text", ecs_string, 0, "error.stack_trace"},      {"exception", ecs_string, 0, "error.stack_trace"},
    {"Exception", ecs_string, 0, "error.stack_trace"},     {"@x", ecs_string, 0, "error.stack_trace"},
    {"error.stack", ecs_string, 0, "error.stack_trace"},   {"error.stacktrace", ecs_string, 0, "error.stack_trace"},

    {"remote_addr", ecs_string, 0, "source.ip"},           {"request_method", ecs_string, 0, "http.request.method"},
    {"request_uri", ecs_string, 0, "url.original"},        {"request_id", ecs, 0, "http.request.id"},
    {"requestId", ecs, 0, "http.request.id"},              {"http_user_agent", ecs_string, 0, "user_agent.original"},
    {"http_referer", ecs_string, 0, "http.request.referrer"}, {"http_referrer", ecs_string, 0, "http.request.referrer"},
    {"body_bytes_sent", ecs_number, 0, "http.response.body.bytes"}, {"url", ecs_string, 0, "url.original"},
    {"user_agent", ecs_string, 0, "user_agent.original"},

    {"labels", labels},
});

// Keys that may be an object with parts of the record in it; ECS parents are known to ecs_fields.h.
struct Parent {
  std::string_view key;
  std::string_view as;
};
constexpr auto kParents = std::to_array<Parent>({{"err", "error"}, {"fields", "fields"}, {"t", "t"}});

struct Entry {
  std::string_view key;
  KeyRole role;
};

constexpr std::size_t kSlots = 512;

constexpr std::size_t slot_of(std::string_view key) {
  // First, last and two inner characters tell the names apart well enough.
  const auto c = [&key](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(key[i])); };
  const std::size_t n = key.size();
  return (n * 37 + c(0) * 131 + c(n - 1) * 17 + c(n / 2) * 7 + c(n / 3) * 61) % kSlots;
}

std::array<Entry, kSlots> make_table() {
  std::array<Entry, kSlots> table{};
  const auto slot = [&table](std::string_view key) -> Entry& {
    std::size_t at = slot_of(key);
    while (!table[at].key.empty() && table[at].key != key) at = (at + 1) % kSlots;
    table[at].key = key;
    return table[at];
  };
  for (const Alias& a : kAliases) {
    KeyRole& r = slot(a.key).role;
    r.role = a.role;
    r.rank = a.rank;
    r.parent = is_ecs_parent(a.key);
    r.as = a.key;
    if (!a.ecs.empty()) r.ecs = find_ecs(a.ecs).value_or(0);
  }
  for (const Parent& p : kParents) {
    KeyRole& r = slot(p.key).role;
    r.parent = true;
    r.as = p.as;
  }
  return table;
}

}  // namespace

KeyRole find_role(std::string_view key) {
  static const std::array<Entry, kSlots> table = make_table();
  if (key.empty()) return {};
  for (std::size_t at = slot_of(key); !table[at].key.empty(); at = (at + 1) % kSlots) {
    if (table[at].key == key) return table[at].role;
  }
  KeyRole role;
  if (const auto ecs = find_ecs(key)) {
    role.role = Role::ecs;
    role.ecs = *ecs;
  } else if (is_ecs_parent(key)) {
    role.parent = true;
    role.as = key;
  }
  return role;
}

}  // namespace sidelight
