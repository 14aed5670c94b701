#include "collectors/cache/cache_metrics.h"

#include <string_view>

namespace sidelight {
namespace {

// Nodes come and go under new addresses, and a label set is remembered for an hour.
constexpr std::size_t kSeries = 4 * kMaxCacheNodes;
constexpr std::string_view kLabels = "target; node";

constexpr MetricInfo metric(std::string_view name, std::string_view unit, std::string_view help) {
  return {.name = name,
          .role = MetricRole::beside_a_target,
          .unit = unit,
          .labels = kLabels,
          .max_series = kSeries,
          .help = help};
}

constexpr MetricInfo kHits =
    metric("mes_cache_hits_total", "", "Look-ups that found a key, as the server counts them.");
constexpr MetricInfo kMisses =
    metric("mes_cache_misses_total", "", "Look-ups that found nothing, as the server counts them.");
constexpr MetricInfo kEvictions =
    metric("mes_cache_evictions_total", "", "Keys dropped to make room, before they had expired.");
constexpr MetricInfo kExpired = metric("mes_cache_expired_total", "",
                                       "Keys removed because their time was over (memcached: items nobody "
                                       "fetched before they expired).");
constexpr MetricInfo kCommands = metric("mes_cache_commands_total", "", "Commands that the server ran.");
constexpr MetricInfo kMemory = metric("mes_cache_memory_bytes", "bytes", "Memory that the data takes.");
constexpr MetricInfo kMemoryLimit =
    metric("mes_cache_memory_limit_bytes", "bytes", "Memory that the data may take; absent when unlimited.");
constexpr MetricInfo kKeys = metric("mes_cache_keys", "", "Keys, of all databases of the server.");
constexpr MetricInfo kClients = metric("mes_cache_clients", "", "Connections of clients, ours included.");
constexpr MetricInfo kLatency = metric("mes_cache_latency_seconds", "seconds",
                                       "One round trip of the cheapest command, on an open connection.");
constexpr MetricInfo kHitRatio{.name = "mes_cache_hit_ratio",
                               .role = MetricRole::beside_a_target,
                               .unit = "ratio",
                               .labels = "target; node; window: 5m",
                               .max_series = kSeries,
                               .help = "Share of look-ups that found a key; absent without look-ups."};

}  // namespace

void HitRatio::add(MonoTime now, const std::string& process, double hits, double misses) {
  if (process != process_) {
    hits_.restart();
    misses_.restart();
    process_ = process;
  }
  hits_.add(now, hits);
  misses_.add(now, misses);
}

std::optional<double> HitRatio::value() const {
  const auto hits = hits_.change();
  const auto misses = misses_.change();
  if (!hits || !misses || hits->amount + misses->amount <= 0) return std::nullopt;
  return hits->amount / (hits->amount + misses->amount);
}

void show_cache(const CacheReading& reading, const std::optional<double>& hit_ratio, const std::string& node,
                Samples& out) {
  const auto counter = [&](const MetricInfo& info, const std::optional<double>& value) {
    if (value) out.counter(info, *value, {{"node", node}});
  };
  const auto gauge = [&](const MetricInfo& info, const std::optional<double>& value) {
    if (value) out.gauge(info, *value, {{"node", node}});
  };
  counter(kHits, reading.hits);
  counter(kMisses, reading.misses);
  counter(kEvictions, reading.evictions);
  counter(kExpired, reading.expired);
  counter(kCommands, reading.commands);
  gauge(kMemory, reading.memory_bytes);
  gauge(kMemoryLimit, reading.memory_limit_bytes);
  gauge(kKeys, reading.keys);
  gauge(kClients, reading.clients);
  gauge(kLatency, reading.latency_seconds);
  if (hit_ratio) out.gauge(kHitRatio, *hit_ratio, {{"node", node}, {"window", "5m"}});
}

std::vector<DeclaredMetric> cache_metrics() {
  return {
      {kHits, MetricKind::counter},      {kMisses, MetricKind::counter},   {kEvictions, MetricKind::counter},
      {kExpired, MetricKind::counter},   {kCommands, MetricKind::counter}, {kMemory, MetricKind::gauge},
      {kMemoryLimit, MetricKind::gauge}, {kKeys, MetricKind::gauge},       {kClients, MetricKind::gauge},
      {kLatency, MetricKind::gauge},     {kHitRatio, MetricKind::gauge}};
}

}  // namespace sidelight
