// What Elasticsearch 7 and 8 and OpenSearch 1 and 2 answer to the questions of the collector. An error of a
// parser says that the text is not that answer; what is merely missing in it is absent.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

// GET /
struct LogStoreInfo {
  std::string distribution;  // "elasticsearch" or what it says
  std::string version;
};
Expected<LogStoreInfo> parse_store_info(std::string_view body);

// GET /_cluster/health
struct LogStoreHealth {
  std::string status;  // green, yellow, red
  std::optional<double> nodes;
  std::vector<std::pair<std::string, double>> shards;  // state, how many
};
Expected<LogStoreHealth> parse_store_health(std::string_view body);

// GET /_nodes/stats
struct LogStoreNode {
  struct Pool {
    std::string name;
    std::optional<double> rejected;
    std::optional<double> queue;
  };
  std::string name;  // unique: the id where two nodes have one name
  std::vector<Pool> pools;
  std::optional<double> disk_free_bytes;
  std::optional<double> disk_total_bytes;
  std::optional<double> heap_used_ratio;
};
constexpr std::size_t kMaxStoreNodes = 200;
// At most kMaxStoreNodes.
Expected<std::vector<LogStoreNode>> parse_store_nodes(std::string_view body);

// GET /_cluster/settings: where the cluster stops giving shards to a full disk, and writing to it.
struct DiskWatermark {
  std::string level;                         // low, high, flood_stage
  std::optional<double> used_ratio;          // it acts when this share is used,
  std::optional<double> max_headroom_bytes;  // but not while so much is free;
  std::optional<double> free_bytes;          // or in place of both: when less is free
};
// Empty when the cluster looks at no disks.
Expected<std::vector<DiskWatermark>> parse_watermarks(std::string_view body);
// The used share of a disk of that size at which it acts; nothing without a size.
std::optional<double> watermark_ratio(const DiskWatermark& watermark, double disk_bytes);

// GET /_stats/docs: documents in primary shards.
Expected<double> parse_store_documents(std::string_view body);

}  // namespace sidelight
