#include "agent/parse/key_roles.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace sidelight {
namespace {

struct Alias {
  std::string_view key;
  Role role;
  std::uint8_t rank = 0;
  std::string_view ecs = {};  // Role::ecs*: the field
};

// Sources: the default key names of logback/Logstash, log4j2, Serilog, .NET, zap, zerolog, logrus, slog,
// Caddy, pino, bunyan, winston, structlog, python-json-logger, Monolog, tracing (Rust), GELF, Google Cloud,
// AWS, PostgreSQL jsonlog, MongoDB, nginx, RabbitMQ, Datadog.
using enum Role;
constexpr auto kAliases = std::to_array<Alias>({
    {"@timestamp", time, 0},
    {"timestamp", time, 1},
    {"Timestamp", time, 1},
    {"ts", time, 2},
    {"time", time, 3},
    {"Time", time, 3},
    {"datetime", time, 4},
    {"asctime", time, 4},
    {"@t", time, 4},
    {"eventTime", time, 5},
    {"event_time", time, 5},
    {"time_iso8601", time, 5},
    {"timeMillis", time, 6},
    {"instant", time, 6},
    {"date", time, 7},
    {"t", time, 8},
    {"t.$date", time, 8},
    {"msec", time, 9},
    {"time_local", time, 9},

    {"log.level", level, 0},
    {"level", level, 1},
    {"Level", level, 1},
    {"lvl", level, 2},
    {"severity", level, 3},
    {"Severity", level, 3},
    {"loglevel", level, 3},
    {"logLevel", level, 3},
    {"log_level", level, 3},
    {"LogLevel", level, 3},
    {"levelname", level, 4},
    {"level_name", level, 0},
    {"error_severity", level, 4},
    {"syslog_severity", level, 5},
    {"severityText", level, 4},
    {"@l", level, 4},
    {"levelName", level, 4},
    {"status_level", level, 6},
    {"s", level, 7},

    {"message", message, 0},
    {"Message", message, 0},
    {"msg", message, 1},
    {"Msg", message, 1},
    {"@m", message, 1},
    {"fields.message", message, 2},
    {"short_message", message, 2},
    {"RenderedMessage", message, 2},
    {"text", message, 3},
    {"event", message, 4},
    {"log", message, 5},
    {"@mt", message, 6},
    {"body", message, 7},

    {"trace_id", ecs, 0, "trace.id"},
    {"traceId", ecs, 0, "trace.id"},
    {"traceid", ecs, 0, "trace.id"},
    {"TraceId", ecs, 0, "trace.id"},
    {"traceID", ecs, 0, "trace.id"},
    {"dd.trace_id", ecs, 0, "trace.id"},
    {"@tr", ecs, 0, "trace.id"},
    {"span_id", ecs, 0, "span.id"},
    {"spanId", ecs, 0, "span.id"},
    {"spanid", ecs, 0, "span.id"},
    {"SpanId", ecs, 0, "span.id"},
    {"spanID", ecs, 0, "span.id"},
    {"dd.span_id", ecs, 0, "span.id"},
    {"@sp", ecs, 0, "span.id"},
    {"transaction_id", ecs, 0, "transaction.id"},
    {"transactionId", ecs, 0, "transaction.id"},

    {"logger", ecs_string, 0, "log.logger"},
    {"logger_name", ecs_string, 0, "log.logger"},
    {"loggerName", ecs_string, 0, "log.logger"},
    {"Logger", ecs_string, 0, "log.logger"},
    {"SourceContext", ecs_string, 0, "log.logger"},
    {"thread", ecs_string, 0, "process.thread.name"},
    {"thread_name", ecs_string, 0, "process.thread.name"},
    {"threadName", ecs_string, 0, "process.thread.name"},
    {"Thread", ecs_string, 0, "process.thread.name"},
    {"thread_id", ecs_number, 0, "process.thread.id"},
    {"threadId", ecs_number, 0, "process.thread.id"},
    {"ThreadId", ecs_number, 0, "process.thread.id"},
    {"tid", ecs_number, 0, "process.thread.id"},
    {"pid", ecs_number, 0, "process.pid"},
    {"process_id", ecs_number, 0, "process.pid"},

    {"error", ecs_string, 0, "error.message"},
    {"err", ecs_string, 0, "error.message"},
    {"stack_trace", ecs_string, 0, "error.stack_trace"},
    {"stacktrace", ecs_string, 0, "error.stack_trace"},
    {"stackTrace", ecs_string, 0, "error.stack_trace"},
    {"StackTrace", ecs_string, 0, "error.stack_trace"},
    {"stack", ecs_string, 0, "error.stack_trace"},
    {"exc_info", ecs_string, 0, "error.stack_trace"},
    {"exc_text", ecs_string, 0, "error.stack_trace"},
    {"exception", ecs_string, 0, "error.stack_trace"},
    {"Exception", ecs_string, 0, "error.stack_trace"},
    {"@x", ecs_string, 0, "error.stack_trace"},
    {"error.stack", ecs_string, 0, "error.stack_trace"},
    {"error.stacktrace", ecs_string, 0, "error.stack_trace"},

    {"remote_addr", ecs_string, 0, "source.ip"},
    {"request_method", ecs_string, 0, "http.request.method"},
    {"request_uri", ecs_string, 0, "url.original"},
    {"request_id", ecs, 0, "http.request.id"},
    {"requestId", ecs, 0, "http.request.id"},
    {"http_user_agent", ecs_string, 0, "user_agent.original"},
    {"http_referer", ecs_string, 0, "http.request.referrer"},
    {"http_referrer", ecs_string, 0, "http.request.referrer"},
    {"body_bytes_sent", ecs_number, 0, "http.response.body.bytes"},
    {"url", ecs_string, 0, "url.original"},
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

std::size_t slot_of(const KeyTag& tag, std::size_t slots) {
  std::uint64_t h = (tag.first ^ tag.length) * 0x9E3779B97F4A7C15u;
  h = (h ^ (h >> 32) ^ tag.last) * 0xC2B2AE3D27D4EB4Fu;
  return (h ^ (h >> 29)) % slots;
}

// All names with a role in one table, so that a key costs one look-up, and mostly one comparison when it has
// none.
class Table {
 public:
  Table() {
    entries_.reserve(512);
    entries_.emplace_back();  // what keys without a role are
    for (const Alias& a : kAliases) {
      KeyRole& r = entry(a.key);
      r.role = a.role;
      r.rank = a.rank;
      if (!a.ecs.empty()) r.ecs = find_ecs(a.ecs).value_or(0);
    }
    for (std::size_t i = 0; i < ecs_count(); ++i) add_ecs(static_cast<EcsOrdinal>(i));
    for (const Parent& p : kParents) {
      KeyRole& r = entry(p.key);
      r.parent = true;
      r.as = p.as;
    }
  }

  const KeyRole& find(std::string_view key) const {
    const KeyTag tag(key);
    for (std::size_t at = slot_of(tag, kSlots); slots_[at].entry != 0; at = (at + 1) % kSlots) {
      const Entry& e = entries_[slots_[at].entry];
      if (slots_[at].tag == tag && (tag.is_whole() || e.key == key)) return e.role;
    }
    return entries_[0].role;
  }

 private:
  static constexpr std::size_t kSlots = 1024;
  struct Slot {
    KeyTag tag;
    std::size_t entry = 0;  // 0: none
  };

  KeyRole& entry(std::string_view key) {
    const KeyTag tag(key);
    std::size_t at = slot_of(tag, kSlots);
    while (slots_[at].entry != 0 && entries_[slots_[at].entry].key != key) at = (at + 1) % kSlots;
    if (slots_[at].entry == 0) {
      slots_[at] = {tag, entries_.size()};
      entries_.push_back({key, {}});
    }
    return entries_[slots_[at].entry].role;
  }

  // The field, unless it has a role of its own already, and the objects around it.
  void add_ecs(EcsOrdinal ordinal) {
    const std::string_view name = ecs_name(ordinal);
    KeyRole& field = entry(name);
    if (field.role == other) {
      field.role = ecs;
      field.ecs = ordinal;
    }
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
      KeyRole& r = entry(name.substr(0, dot));
      r.parent = true;
      r.as = name.substr(0, dot);
    }
  }

  std::vector<Entry> entries_;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace

const KeyRole& find_role(std::string_view key) {
  static const Table table;
  return table.find(key);
}

}  // namespace sidelight
