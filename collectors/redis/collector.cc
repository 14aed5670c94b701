#include "collectors/redis/collector.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "collectors/cache/cache_metrics.h"
#include "collectors/redis/connection.h"
#include "collectors/redis/info.h"
#include "collectors/redis/sentinel.h"

namespace sidelight {
namespace {

constexpr std::size_t kSeries = 4 * kMaxCacheNodes;
constexpr MetricInfo kRole{.name = "mes_cache_role",
                           .role = MetricRole::beside_a_target,
                           .labels = "target; node; role: primary, replica",
                           .max_series = 2 * kSeries,
                           .help = "1 for what the node is now."};
constexpr MetricInfo kReplicaLag{
    .name = "mes_cache_replica_lag_bytes",
    .role = MetricRole::beside_a_target,
    .unit = "bytes",
    .labels = "target; node",
    .max_series = kSeries,
    .help = "What a replica has not yet of its primary's changes; absent where the primary was not asked."};
constexpr MetricInfo kLinkUp{.name = "mes_cache_replica_link_up",
                             .role = MetricRole::beside_a_target,
                             .labels = "target; node",
                             .max_series = kSeries,
                             .help = "Whether a replica is connected to its primary."};

class RedisCollector final : public Collector {
 public:
  RedisCollector(const RedisOptions& options, const CollectorContext& context)
      : options_(options), context_(context), tls_(options.tls.value_or(TlsOptions{})) {}

  Expected<void> collect(CollectRun& run) override {
    auto login = read_login(options_.user, context_.fs);
    if (!login) return std::unexpected(login.error());
    auto topology = find_nodes(run.deadline);
    if (!topology) return std::unexpected(topology.error());
    for (std::string& warning : topology->warnings) run.out.warn(std::move(warning));

    const Deadline first = share(run.deadline, topology->replicas.size() + 1);
    const auto primary = ask_node(topology->primary, *login, first, run);
    if (!primary) {
      connection_.close();
      return std::unexpected(primary.error());
    }
    if (options_.sentinel && primary->is_replica())
      run.out.warn("Sentinel names " + topology->primary.node() +
                   ", which is a replica: a failover may be on");
    if (options_.replicas) add_replicas(*primary, *topology);
    keep_once(*topology);
    for (std::size_t i = 0; i < topology->replicas.size(); ++i) {
      const Deadline mine = share(run.deadline, topology->replicas.size() - i);
      const auto replica = ask_node(topology->replicas[i], *login, mine, run);
      if (!replica) {
        run.out.warn("replica " + replica.error().message);
      } else if (replica->is_replica()) {
        show_lag(*primary, *replica, topology->replicas[i].node(), run);
      }
    }
    connection_.close();
    forget_others(*topology);
    return {};
  }

 private:
  Expected<RedisTopology> find_nodes(const Deadline& deadline) {
    if (options_.sentinel)
      return ask_sentinels(*options_.sentinel, tls_, options_.tls.has_value(), context_.fs, context_.clock,
                           deadline, connection_);
    auto endpoint = parse_redis_url(options_.url);
    if (!endpoint) return std::unexpected(endpoint.error());
    RedisTopology out;
    out.primary = std::move(*endpoint);
    return out;
  }

  // An equal part of what is left, so that one node that hangs does not take the others' time.
  Deadline share(const Deadline& deadline, std::size_t nodes) const {
    return {context_.clock, context_.clock.now() + deadline.left() / static_cast<long>(nodes)};
  }

  static void add_replicas(const RedisInfo& primary, RedisTopology& topology) {
    for (RedisEndpoint replica : primary.replicas) {
      if (topology.replicas.size() + 1 == kMaxCacheNodes) return;
      replica.tls = topology.primary.tls;
      topology.replicas.push_back(std::move(replica));
    }
  }

  // While roles change, a list of replicas may name the primary too.
  static void keep_once(RedisTopology& topology) {
    std::set<std::string> seen{topology.primary.node()};
    std::erase_if(topology.replicas, [&](const RedisEndpoint& e) { return !seen.insert(e.node()).second; });
  }

  // Asks one node and shows what concerns it alone.
  Expected<RedisInfo> ask_node(const RedisEndpoint& node, const RedisLogin& login, const Deadline& deadline,
                               CollectRun& run) {
    if (auto done = connection_.open(node, tls_, login, deadline); !done)
      return std::unexpected(done.error());
    auto reply = connection_.ask({"INFO"}, deadline);
    if (!reply) return std::unexpected(reply.error());
    auto info = parse_redis_info(reply->text);
    if (!info) return fail(node.node() + ": the answer to INFO is not one of Redis");
    info->reading.latency_seconds = ping(deadline, run);
    show(*info, node.node(), run);
    return std::move(*info);
  }

  std::optional<double> ping(const Deadline& deadline, CollectRun& run) {
    const MonoTime begin = context_.clock.now();
    if (auto pong = connection_.ask({"PING"}, deadline); !pong) {
      run.out.warn(pong.error().message);
      return std::nullopt;
    }
    return std::chrono::duration<double>(context_.clock.now() - begin).count();
  }

  void show(const RedisInfo& info, const std::string& node, CollectRun& run) {
    std::optional<double> ratio;
    if (info.reading.hits && info.reading.misses) {
      HitRatio& history = ratios_[node];
      history.add(run.now, info.run_id, *info.reading.hits, *info.reading.misses);
      ratio = history.value();
    }
    show_cache(info.reading, ratio, node, run.out);
    const bool replica = info.is_replica();
    if (replica || info.role == "master")
      run.out.gauge(kRole, 1, {{"node", node}, {"role", replica ? "replica" : "primary"}});
    if (info.link_up) run.out.gauge(kLinkUp, *info.link_up ? 1 : 0, {{"node", node}});
  }

  // Offsets compare only within one history. The primary was asked a moment earlier: a replica that has
  // everything may seem ahead.
  static void show_lag(const RedisInfo& primary, const RedisInfo& replica, const std::string& node,
                       CollectRun& run) {
    if (!primary.primary_offset || !replica.replica_offset ||
        primary.replication_id != replica.replication_id)
      return;
    run.out.gauge(kReplicaLag, std::max(0.0, *primary.primary_offset - *replica.replica_offset),
                  {{"node", node}});
  }

  void forget_others(const RedisTopology& topology) {
    std::erase_if(ratios_, [&](const auto& entry) {
      const auto is_it = [&](const RedisEndpoint& e) { return e.node() == entry.first; };
      return !is_it(topology.primary) &&
             std::none_of(topology.replicas.begin(), topology.replicas.end(), is_it);
    });
  }

  RedisOptions options_;
  CollectorContext context_;
  TlsOptions tls_;
  RedisConnection connection_;
  std::map<std::string, HitRatio> ratios_;  // by node, those of the last run alone
};

}  // namespace

std::unique_ptr<Collector> make_redis_collector(const RedisOptions& options,
                                                const CollectorContext& context) {
  return std::make_unique<RedisCollector>(options, context);
}

std::vector<DeclaredMetric> redis_metrics() {
  return {{kRole, MetricKind::gauge}, {kReplicaLag, MetricKind::gauge}, {kLinkUp, MetricKind::gauge}};
}

}  // namespace sidelight
