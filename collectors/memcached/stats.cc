#include "collectors/memcached/stats.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>

#include "agent/base/number.h"

namespace sidelight {
namespace {

using Fields = std::map<std::string_view, double>;

std::optional<double> field(const Fields& fields, std::string_view name) {
  const auto it = fields.find(name);
  return it == fields.end() ? std::nullopt : std::optional(it->second);
}

// Of those that the version has; nothing when it has none.
std::optional<double> sum(const Fields& fields, std::initializer_list<std::string_view> names) {
  std::optional<double> total;
  for (const std::string_view name : names)
    if (const auto value = field(fields, name)) total = total.value_or(0) + *value;
  return total;
}

}  // namespace

bool is_whole_answer(std::string_view text) {
  if (text.ends_with("END\r\n") && (text.size() == 5 || text[text.size() - 6] == '\n')) return true;
  return text.ends_with('\n') && !text.starts_with("STAT ");
}

std::optional<MemcachedStats> parse_memcached_stats(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == "END") break;
    if (!line.starts_with("STAT ")) return std::nullopt;
    line.remove_prefix(5);
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view value = line.substr(std::min(space + 1, line.size()));
    if (const auto n = parse_count(value)) fields.emplace(line.substr(0, space), *n);
  }
  MemcachedStats out;
  out.process_id = field(fields, "pid");
  out.uptime_seconds = field(fields, "uptime");
  if (!out.uptime_seconds) return std::nullopt;
  CacheReading& r = out.reading;
  r.hits = field(fields, "get_hits");
  r.misses = field(fields, "get_misses");
  r.evictions = field(fields, "evictions");
  // An expired item is removed by the one who asks for it, by the one who needs its memory, or by the
  // crawler.
  r.expired = sum(fields, {"get_expired", "reclaimed", "crawler_reclaimed"});
  r.commands = sum(fields, {"cmd_get", "cmd_set", "cmd_touch", "cmd_flush", "delete_hits", "delete_misses",
                            "incr_hits", "incr_misses", "decr_hits", "decr_misses"});
  r.memory_bytes = field(fields, "bytes");
  r.memory_limit_bytes = field(fields, "limit_maxbytes");
  if (r.memory_limit_bytes == 0.0) r.memory_limit_bytes.reset();
  r.keys = field(fields, "curr_items");
  r.clients = field(fields, "curr_connections");
  return out;
}

}  // namespace sidelight
