#include "collectors/log_store/elasticsearch_answers.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "agent/base/number.h"
#include "collectors/framework/bounded_json.h"

namespace sidelight {
namespace {

using Json = nlohmann::json;

// "85%" or "0.85".
std::optional<double> parse_ratio(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const auto value = parse_number(text);
  if (!value) return std::nullopt;
  const double ratio = percent ? *value / 100 : *value;
  return ratio >= 0 && ratio <= 1 ? std::optional(ratio) : std::nullopt;
}

// "500mb": units are powers of 1024.
std::optional<double> parse_size(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  std::string unit(end, text.data() + text.size());
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  double factor = 1;
  for (const std::string_view known : {"b", "kb", "mb", "gb", "tb", "pb"}) {
    if (unit == known) return value * factor;
    factor *= 1024;
  }
  return std::nullopt;
}

// The strongest of the places where a setting may stand.
std::optional<std::string> setting(const Json& root, std::initializer_list<std::string_view> names) {
  for (const char* place : {"transient", "persistent", "defaults"}) {
    const Json* const settings = find_json(root, {place, "cluster", "routing", "allocation", "disk"});
    if (settings == nullptr) continue;
    if (auto text = json_text(*settings, names)) return text;
  }
  return std::nullopt;
}

DiskWatermark read_watermark(const Json& root, const std::string& level) {
  DiskWatermark out{level, {}, {}, {}};
  const auto text = setting(root, {"watermark", level});
  if (!text) return out;
  out.used_ratio = parse_ratio(*text);
  if (!out.used_ratio) {
    out.free_bytes = parse_size(*text);
  } else if (const auto headroom = setting(root, {"watermark", level + ".max_headroom"})) {
    out.max_headroom_bytes = parse_size(*headroom);  // -1 is none
  }
  return out;
}

LogStoreNode read_node(const Json& from, std::string name) {
  LogStoreNode node;
  node.name = std::move(name);
  for (const char* pool : {"write", "search"}) {
    node.pools.push_back({pool, json_number(from, {"thread_pool", pool, "rejected"}),
                          json_number(from, {"thread_pool", pool, "queue"})});
  }
  node.disk_free_bytes = json_number(from, {"fs", "total", "available_in_bytes"});
  node.disk_total_bytes = json_number(from, {"fs", "total", "total_in_bytes"});
  if (const auto percent = json_number(from, {"jvm", "mem", "heap_used_percent"}))
    node.heap_used_ratio = *percent / 100;
  return node;
}

}  // namespace

Expected<LogStoreInfo> parse_store_info(std::string_view body) {
  const auto root = parse_bounded_json(body);
  if (!root) return std::unexpected(root.error());
  auto version = json_text(*root, {"version", "number"});
  if (!version) return fail("the answer is not one of Elasticsearch or OpenSearch");
  return LogStoreInfo{json_text(*root, {"version", "distribution"}).value_or("elasticsearch"),
                      std::move(*version)};
}

Expected<LogStoreHealth> parse_store_health(std::string_view body) {
  const auto root = parse_bounded_json(body);
  if (!root) return std::unexpected(root.error());
  auto status = json_text(*root, {"status"});
  if (!status || (*status != "green" && *status != "yellow" && *status != "red"))
    return fail("the answer says nothing about the health of a cluster");
  LogStoreHealth out{std::move(*status), json_number(*root, {"number_of_nodes"}), {}};
  for (const char* state : {"active", "relocating", "initializing", "unassigned"}) {
    if (const auto n = json_number(*root, {std::string(state) + "_shards"}))
      out.shards.emplace_back(state, *n);
  }
  return out;
}

Expected<std::vector<LogStoreNode>> parse_store_nodes(std::string_view body) {
  const auto root = parse_bounded_json(body);
  if (!root) return std::unexpected(root.error());
  const Json* const nodes = find_json(*root, {"nodes"});
  if (nodes == nullptr || !nodes->is_object()) return fail("the answer has no nodes");
  std::vector<LogStoreNode> out;
  std::set<std::string> names;
  for (const auto& [id, node] : nodes->items()) {
    if (out.size() == kMaxStoreNodes) break;
    std::string name = json_text(node, {"name"}).value_or(id);
    if (!names.insert(name).second) {
      name = id;
      if (!names.insert(name).second) continue;  // a node that is called as another one's id
    }
    out.push_back(read_node(node, std::move(name)));
  }
  return out;
}

Expected<std::vector<DiskWatermark>> parse_watermarks(std::string_view body) {
  const auto root = parse_bounded_json(body);
  if (!root) return std::unexpected(root.error());
  if (!root->is_object()) return fail("the answer holds no settings");
  std::vector<DiskWatermark> out;
  if (setting(*root, {"threshold_enabled"}) == "false") return out;
  for (const char* level : {"low", "high", "flood_stage"}) out.push_back(read_watermark(*root, level));
  return out;
}

std::optional<double> watermark_ratio(const DiskWatermark& watermark, double disk_bytes) {
  if (disk_bytes <= 0) return std::nullopt;
  if (watermark.free_bytes) return std::max(0.0, 1 - *watermark.free_bytes / disk_bytes);
  if (!watermark.used_ratio || !watermark.max_headroom_bytes) return watermark.used_ratio;
  return std::max(*watermark.used_ratio, 1 - *watermark.max_headroom_bytes / disk_bytes);
}

Expected<double> parse_store_documents(std::string_view body) {
  const auto root = parse_bounded_json(body);
  if (!root) return std::unexpected(root.error());
  const auto count = json_number(*root, {"_all", "primaries", "docs", "count"});
  // A cluster without indices leaves the count out.
  if (!count && !root->is_object()) return fail("the answer counts no documents");
  return count.value_or(0);
}

}  // namespace sidelight
