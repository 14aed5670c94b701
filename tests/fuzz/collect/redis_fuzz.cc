// What a Redis or Sentinel may send: the protocol in pieces (the first byte says how large), INFO's text, and
// lists of replicas.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/cache/cache_metrics.h"
#include "collectors/redis/info.h"
#include "collectors/redis/resp_reader.h"
#include "collectors/redis/sentinel.h"

namespace {

std::size_t count_items(const sidelight::RespValue& value) {
  std::size_t n = value.items.size();
  for (const auto& item : value.items) n += count_items(item);
  return n;
}

void check(bool good) {
  if (!good) std::abort();
}

void look_at(const sidelight::RespValue& value) {
  using sidelight::RespReader;
  check(count_items(value) <= RespReader::kMaxItems);
  sidelight::RedisTopology topology;
  sidelight::parse_replicas(value, false, topology);
  check(topology.replicas.size() < sidelight::kMaxCacheNodes);
  static_cast<void>(sidelight::parse_master_address(value, false));
  if (const auto info = sidelight::parse_redis_info(value.text))
    check(info->replicas.size() <= sidelight::kMaxCacheNodes && !info->role.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  sidelight::RespReader reader;
  for (std::size_t at = 0; at < all.size(); at += piece) {
    auto value = reader.next(all.substr(at, piece));
    if (!value) break;
    while (value && *value) {
      look_at(**value);
      value = reader.next({});
    }
    if (!value) break;
  }
  static_cast<void>(sidelight::parse_redis_info(all));
  return 0;
}
