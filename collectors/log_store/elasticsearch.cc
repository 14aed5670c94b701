#include "collectors/log_store/elasticsearch.h"

#include <optional>
#include <utility>

#include "collectors/log_store/elasticsearch_answers.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxAnswer = 4u << 20;
constexpr const char* kNodeStats =
    "/_nodes/stats/"
    "thread_pool,fs,jvm?filter_path=nodes.*.name,nodes.*.thread_pool.write,nodes.*.thread_pool.search,"
    "nodes.*.fs.total,nodes.*.jvm.mem.heap_used_percent";
constexpr const char* kSettings =
    "/_cluster/settings?include_defaults=true&filter_path=*.cluster.routing.allocation.disk";
constexpr const char* kDocuments = "/_stats/docs?filter_path=_all.primaries.docs.count";

constexpr MetricInfo metric(std::string_view name, std::string_view unit, std::string_view labels,
                            std::size_t max_series, std::string_view help) {
  return {.name = name,
          .role = MetricRole::beside_a_target,
          .unit = unit,
          .labels = labels,
          .max_series = max_series,
          .help = help};
}

constexpr std::string_view kPerNode = "target; node";
constexpr std::string_view kPerPool = "target; node; pool: write, search";

constexpr MetricInfo kStatus = metric("log_store_status", "", "target; status: green, yellow, red", 3,
                                      "1 for the health that the cluster has, else 0.");
constexpr MetricInfo kNodes = metric("log_store_nodes", "", "target", 1, "Nodes of the cluster.");
constexpr MetricInfo kShards =
    metric("log_store_shards", "", "target; state: active, relocating, initializing, unassigned", 4,
           "Shards by their state.");
constexpr MetricInfo kRejections =
    metric("log_store_rejections_total", "", kPerPool, 2 * kMaxStoreNodes,
           "Requests that a node refused because the queue of its thread pool was full.");
constexpr MetricInfo kQueue =
    metric("log_store_queue", "", kPerPool, 2 * kMaxStoreNodes, "Requests that wait for a thread.");
constexpr MetricInfo kDiskFree = metric("log_store_disk_free_bytes", "bytes", kPerNode, kMaxStoreNodes,
                                        "Free space of a node's data disks.");
constexpr MetricInfo kDiskTotal =
    metric("log_store_disk_total_bytes", "bytes", kPerNode, kMaxStoreNodes, "Size of a node's data disks.");
constexpr MetricInfo kWatermark =
    metric("log_store_disk_watermark_ratio", "ratio", "target; node; level: low, high, flood_stage",
           3 * kMaxStoreNodes,
           "Used share of a node's disk at which the cluster acts; at flood_stage it takes no more writes.");
constexpr MetricInfo kHeap = metric("log_store_heap_used_ratio", "ratio", kPerNode, kMaxStoreNodes,
                                    "Used share of a node's Java heap.");
constexpr MetricInfo kDocumentCount =
    metric("log_store_documents", "", "target", 1, "Documents in primary shards.");
constexpr MetricInfo kInfo =
    metric("log_store_info", "", "target; distribution; version", 4, "Always 1; says what it is.");

class ElasticsearchCollector final : public Collector {
 public:
  ElasticsearchCollector(const LogStoreOptions& options, const CollectorContext& context)
      : url_(options.url), fetch_(context.fs, options.access) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  Expected<void> collect(CollectRun& run) override {
    auto health = ask("/_cluster/health", run.deadline, parse_store_health);
    if (!health) return std::unexpected(health.error());
    show_health(*health, run.out);
    // What follows needs other rights, and may be missing without taking the rest away.
    if (const auto info = try_ask("/", run, parse_store_info))
      run.out.gauge(kInfo, 1, {{"distribution", info->distribution}, {"version", info->version}});
    const auto nodes = try_ask(kNodeStats, run, parse_store_nodes);
    if (nodes) show_nodes(*nodes, run.out);
    if (const auto watermarks = try_ask(kSettings, run, parse_watermarks); watermarks && nodes)
      show_watermarks(*watermarks, *nodes, run.out);
    if (const auto documents = try_ask(kDocuments, run, parse_store_documents))
      run.out.gauge(kDocumentCount, *documents);
    if (run.deadline.passed()) return fail("the answers did not come in time");
    return {};
  }

 private:
  template <class T>
  Expected<T> ask(const char* path, const Deadline& deadline, Expected<T> (*parse)(std::string_view)) {
    auto body = fetch_.get(url_ + path, deadline, kMaxAnswer);
    if (!body) return std::unexpected(body.error());
    auto answer = parse(*body);
    if (!answer)
      return fail("GET " + std::string(std::string_view(path).substr(0, std::string_view(path).find('?'))) +
                  ": " + answer.error().message);
    return answer;
  }

  template <class T>
  std::optional<T> try_ask(const char* path, CollectRun& run, Expected<T> (*parse)(std::string_view)) {
    auto answer = ask(path, run.deadline, parse);
    if (!answer) {
      run.out.warn(answer.error().message);
      return std::nullopt;
    }
    return std::move(*answer);
  }

  static void show_health(const LogStoreHealth& health, Samples& out) {
    for (const char* status : {"green", "yellow", "red"})
      out.gauge(kStatus, health.status == status ? 1 : 0, {{"status", status}});
    if (health.nodes) out.gauge(kNodes, *health.nodes);
    for (const auto& [state, count] : health.shards) out.gauge(kShards, count, {{"state", state}});
  }

  static void show_nodes(const std::vector<LogStoreNode>& nodes, Samples& out) {
    for (const LogStoreNode& node : nodes) {
      for (const auto& pool : node.pools) {
        const Labels labels{{"node", node.name}, {"pool", pool.name}};
        if (pool.rejected) out.counter(kRejections, *pool.rejected, labels);
        if (pool.queue) out.gauge(kQueue, *pool.queue, labels);
      }
      const Labels labels{{"node", node.name}};
      if (node.disk_free_bytes) out.gauge(kDiskFree, *node.disk_free_bytes, labels);
      if (node.disk_total_bytes) out.gauge(kDiskTotal, *node.disk_total_bytes, labels);
      if (node.heap_used_ratio) out.gauge(kHeap, *node.heap_used_ratio, labels);
    }
  }

  // With a headroom they are another share of a large disk than of a small one.
  static void show_watermarks(const std::vector<DiskWatermark>& watermarks,
                              const std::vector<LogStoreNode>& nodes, Samples& out) {
    for (const LogStoreNode& node : nodes)
      for (const DiskWatermark& w : watermarks)
        if (const auto ratio = watermark_ratio(w, node.disk_total_bytes.value_or(0)))
          out.gauge(kWatermark, *ratio, {{"node", node.name}, {"level", w.level}});
  }

  std::string url_;
  HttpFetch fetch_;
};

}  // namespace

std::unique_ptr<Collector> make_elasticsearch_collector(const LogStoreOptions& options,
                                                        const CollectorContext& context) {
  return std::make_unique<ElasticsearchCollector>(options, context);
}

std::vector<DeclaredMetric> elasticsearch_metrics() {
  return {
      {kStatus, MetricKind::gauge},        {kNodes, MetricKind::gauge},     {kShards, MetricKind::gauge},
      {kRejections, MetricKind::counter},  {kQueue, MetricKind::gauge},     {kDiskFree, MetricKind::gauge},
      {kDiskTotal, MetricKind::gauge},     {kWatermark, MetricKind::gauge}, {kHeap, MetricKind::gauge},
      {kDocumentCount, MetricKind::gauge}, {kInfo, MetricKind::gauge}};
}

}  // namespace sidelight
