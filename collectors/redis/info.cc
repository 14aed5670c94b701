#include "collectors/redis/info.h"

#include <map>

#include "agent/base/number.h"

namespace sidelight {
namespace {

using Fields = std::map<std::string_view, std::string_view>;

std::string_view text_of(const Fields& fields, std::string_view key) {
  const auto it = fields.find(key);
  return it == fields.end() ? std::string_view() : it->second;
}

std::optional<double> number_of(const Fields& fields, std::string_view key) {
  return parse_count(text_of(fields, key));
}

// The value of `key` in "keys=3,expires=0,avg_ttl=0".
std::string_view part(std::string_view list, std::string_view key) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (item.size() > key.size() && item.starts_with(key) && item[key.size()] == '=')
      return item.substr(key.size() + 1);
  }
  return {};
}

// "db0", "slave12".
bool is_numbered(std::string_view key, std::string_view prefix) {
  return key.starts_with(prefix) && parse_count(key.substr(prefix.size()));
}

std::optional<double> sum_of_keys(const Fields& fields, bool has_section) {
  if (!has_section) return std::nullopt;
  double sum = 0;
  for (const auto& [key, value] : fields)
    if (is_numbered(key, "db")) sum += parse_count(part(value, "keys")).value_or(0);
  return sum;
}

std::vector<RedisEndpoint> replicas_of(const Fields& fields) {
  std::vector<RedisEndpoint> out;
  for (const auto& [key, value] : fields) {
    if (!is_numbered(key, "slave") || out.size() == kMaxCacheNodes) continue;
    const std::string_view host = part(value, "ip");
    const auto port = parse_count(part(value, "port"));
    if (!host.empty() && port && *port > 0 && *port <= 65535)
      out.push_back({std::string(host), static_cast<std::uint16_t>(*port), false});
  }
  return out;
}

CacheReading reading_of(const Fields& fields, bool has_keyspace) {
  CacheReading r;
  r.hits = number_of(fields, "keyspace_hits");
  r.misses = number_of(fields, "keyspace_misses");
  r.evictions = number_of(fields, "evicted_keys");
  r.expired = number_of(fields, "expired_keys");
  r.commands = number_of(fields, "total_commands_processed");
  r.memory_bytes = number_of(fields, "used_memory");
  r.memory_limit_bytes = number_of(fields, "maxmemory");
  if (r.memory_limit_bytes == 0.0) r.memory_limit_bytes.reset();
  r.keys = sum_of_keys(fields, has_keyspace);
  r.clients = number_of(fields, "connected_clients");
  return r;
}

}  // namespace

std::optional<RedisInfo> parse_redis_info(std::string_view text) {
  Fields fields;
  bool has_keyspace = false;
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == "# Keyspace") has_keyspace = true;
    const std::size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    fields.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
  RedisInfo info;
  info.role = text_of(fields, "role");
  info.run_id = text_of(fields, "run_id");
  if (info.role.empty() || text_of(fields, "redis_version").empty()) return std::nullopt;
  info.reading = reading_of(fields, has_keyspace);
  info.replication_id = text_of(fields, "master_replid");
  info.primary_offset = number_of(fields, "master_repl_offset");
  if (info.is_replica()) {
    info.replica_offset = number_of(fields, "slave_repl_offset");
    if (const auto link = text_of(fields, "master_link_status"); !link.empty()) info.link_up = link == "up";
  } else {
    info.replicas = replicas_of(fields);
  }
  return info;
}

}  // namespace sidelight
