#include "collectors/rabbitmq/management_collector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "collectors/rabbitmq/metrics.h"

namespace sidelight::rabbitmq {
namespace {

constexpr Nanos kExchangesHold = std::chrono::minutes(1);
// Those who declare queues bind them afterwards.
constexpr Nanos kUnboundHolds = std::chrono::seconds(10);
constexpr Nanos kPluginStaysAway = std::chrono::minutes(10);
// What a node says of its uptime may be this old.
constexpr Nanos kUptimeLate = std::chrono::seconds(15);
constexpr std::size_t kMaxExchanges = 50;
constexpr std::size_t kMaxSubscriptionRequests = 10;  // a run

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

ManagementCollector::ManagementCollector(const RabbitmqOptions& options, const CollectorContext& context)
    : options_(options),
      api_(context.fs, options.url, options.access),
      filter_(joined(options.queues, options.dead_letter_queues)),
      dead_letter_filter_(options.dead_letter_queues),
      regexes_(broker_regexes(joined(options.queues, options.dead_letter_queues), {})) {}

Expected<void> ManagementCollector::collect(CollectRun& run) {
  const auto overview = api_.overview(run.deadline);
  if (!overview) return std::unexpected(overview.error());
  statistics_ = !overview->no_statistics;
  if (!statistics_)
    run.out.warn(
        "the broker keeps no statistics (management.disable_stats): counters, consumers, drain time and "
        "head age are missing");
  run.out.gauge(kInfo, 1, {{"version", overview->version}});
  if (overview->connections) run.out.gauge(kConnections, *overview->connections);
  if (auto done = ask_nodes(run); !done) return done;

  QueueMap queues;
  if (auto done = ask_queues(run, queues); !done) return done;
  if (options_.find_dead_letters) {
    if (auto done = find_dead_letter_queues(run, queues); !done) return done;
  }
  count_subscriptions(run, queues);
  const auto lags = stream_lags(run, queues);

  book_.note(run.now, queues, statistics_);
  std::set<QueueName> dead_letters = dead_letters_;
  for (const auto& [name, facts] : queues) {
    if (dead_letter_filter_.matches(name.second)) dead_letters.insert(name);
  }
  book_.show(run, queues, dead_letters, lags);
  return {};
}

Expected<void> ManagementCollector::ask_nodes(CollectRun& run) {
  auto nodes = api_.nodes(run.deadline);
  if (!nodes) return std::unexpected(nodes.error());
  bool restarted = false;
  std::map<std::string, MonoTime> begun;
  for (const NodeFacts& node : *nodes) {
    const Labels labels{{"node", node.name}};
    run.out.gauge(kNodeUp, node.running ? 1 : 0, labels);
    if (node.memory_alarm)
      run.out.gauge(kAlarm, *node.memory_alarm ? 1 : 0, {{"node", node.name}, {"alarm", "memory"}});
    if (node.disk_alarm)
      run.out.gauge(kAlarm, *node.disk_alarm ? 1 : 0, {{"node", node.name}, {"alarm", "disk"}});
    if (node.memory_used) run.out.gauge(kMemoryUsed, *node.memory_used, labels);
    if (node.memory_limit) run.out.gauge(kMemoryLimit, *node.memory_limit, labels);
    if (node.disk_free) run.out.gauge(kDiskFree, *node.disk_free, labels);
    if (node.disk_limit) run.out.gauge(kDiskLimit, *node.disk_limit, labels);
    const auto before = begun_.find(node.name);
    if (!node.uptime_seconds) {
      if (before != begun_.end()) begun.insert(*before);
      continue;
    }
    const MonoTime start = run.now - Nanos(std::llround(*node.uptime_seconds * 1e9));
    restarted |= before != begun_.end() && start - before->second > kUptimeLate;
    if (begun.size() < kMaxNodes) begun[node.name] = start;
  }
  begun_ = std::move(begun);
  if (restarted) book_.broker_restarted();
  return {};
}

Expected<void> ManagementCollector::ask_queues(CollectRun& run, QueueMap& queues) {
  const std::vector<std::string> everywhere{""};
  std::size_t matching = 0;
  for (const auto& vhost : options_.vhosts.empty() ? everywhere : options_.vhosts) {
    for (const auto& regex : regexes_) {
      if (auto done = ask_pages(run, vhost, regex, queues, matching); !done) return done;
    }
  }
  // The broker does not tell upper from lower case.
  const bool all_seen = queues.size() < kMaxQueues;
  if (all_seen) matching = queues.size();
  run.out.gauge(kQueues, static_cast<double>(matching));
  if (matching > kMaxQueues)
    run.out.warn(std::to_string(matching) + " queues match; the first " + std::to_string(kMaxQueues) +
                 " of them are shown. Narrow the patterns of `queues`");
  return {};
}

Expected<void> ManagementCollector::ask_pages(CollectRun& run, const std::string& vhost,
                                              const std::string& regex, QueueMap& queues,
                                              std::size_t& matching) {
  for (std::size_t page = 1;; ++page) {
    auto answer = api_.queues(vhost, regex, page, run.deadline);
    if (!answer) return std::unexpected(answer.error());
    if (page == 1) matching += answer->filtered;
    for (QueueFacts& facts : answer->queues) {
      if (queues.size() >= kMaxQueues) return {};
      if (filter_.matches(facts.name.second)) queues.emplace(facts.name, std::move(facts));
    }
    if (page >= answer->pages || queues.size() >= kMaxQueues) return {};
  }
}

Expected<void> ManagementCollector::find_dead_letter_queues(CollectRun& run, QueueMap& queues) {
  std::vector<DeadLetterRoute> routes;
  for (const auto& [name, facts] : queues) {
    if (!facts.dead_letter_exchange) continue;
    const bool consumed = facts.consumers.value_or(0) > 0 || book_.consumed(name);
    routes.push_back(
        {name, *facts.dead_letter_exchange, facts.dead_letter_routing_key, facts.has_ttl, consumed});
  }
  resolve_exchanges(run, routes);
  dead_letters_ = dead_letter_queues(routes, exchanges_);
  return add_queues_outside(run, queues);
}

// Bindings change rarely: they are asked for when a queue names an exchange that is new, and now and then.
void ManagementCollector::resolve_exchanges(CollectRun& run, const std::vector<DeadLetterRoute>& routes) {
  std::set<ExchangeName> wanted;
  for (const auto& route : routes) {
    if (!route.exchange.empty() && wanted.size() < kMaxExchanges)
      wanted.emplace(route.from.first, route.exchange);
  }
  const bool all_bound = std::all_of(wanted.begin(), wanted.end(), [&](const ExchangeName& name) {
    const auto it = exchanges_.find(name);
    return it != exchanges_.end() && !it->second.bindings.empty();
  });
  const bool fresh = exchanges_at_ && run.now - *exchanges_at_ < (all_bound ? kExchangesHold : kUnboundHolds);
  if (fresh && wanted == exchanges_asked_) return;
  std::map<ExchangeName, Exchange> found;
  std::set<ExchangeName> seen = wanted;
  std::vector<ExchangeName> open(wanted.begin(), wanted.end());
  while (!open.empty()) {
    const ExchangeName name = std::move(open.back());
    open.pop_back();
    auto exchange = api_.exchange(name, run.deadline);
    if (!exchange) {
      run.out.warn("queues of dead letters are not looked for: " + exchange.error().message);
      return;
    }
    if (!*exchange) continue;
    for (const Binding& binding : (*exchange)->bindings) {
      ExchangeName next(name.first, binding.destination);
      if (binding.to_exchange && seen.size() < kMaxExchanges && seen.insert(next).second)
        open.push_back(std::move(next));
    }
    found.emplace(name, std::move(**exchange));
  }
  exchanges_ = std::move(found);
  exchanges_asked_ = std::move(wanted);
  exchanges_at_ = run.now;
}

// Queues of dead letters need not match the patterns.
Expected<void> ManagementCollector::add_queues_outside(CollectRun& run, QueueMap& queues) {
  std::map<std::string, std::vector<std::string>> outside;  // by vhost
  std::size_t count = 0;
  for (const auto& [vhost, name] : dead_letters_) {
    if (!queues.contains({vhost, name}) && ++count <= kMaxDeadLetterQueues) outside[vhost].push_back(name);
  }
  for (const auto& [vhost, names] : outside) {
    for (const auto& regex : broker_regexes({}, names)) {
      auto page = api_.queues(vhost, regex, 1, run.deadline);
      if (!page) return std::unexpected(page.error());
      for (QueueFacts& facts : page->queues) {
        if (dead_letters_.contains(facts.name)) queues.emplace(facts.name, std::move(facts));
      }
    }
  }
  return {};
}

// A quorum queue counts each message taken by basic.get and not yet acknowledged as a consumer. Where that
// may have happened, the queue is asked by itself.
void ManagementCollector::count_subscriptions(CollectRun& run, QueueMap& queues) {
  std::size_t requests = 0;
  bool left_out = false;
  std::map<QueueName, Subscriptions> known;
  for (auto& [name, facts] : queues) {
    const double gets = facts.counters ? facts.counters->gets : 0;
    if (facts.type != QueueType::quorum || facts.consumers.value_or(0) < 1 || gets < 1) continue;
    const double seen = *facts.consumers;
    facts.consumers.reset();
    const auto before = subscriptions_.find(name);
    if (before != subscriptions_.end() && before->second.seen == seen && before->second.gets == gets) {
      facts.consumers = before->second.real;
      known.insert(*before);
      continue;
    }
    if (requests++ >= kMaxSubscriptionRequests) {
      left_out = true;
      continue;
    }
    const auto count = api_.subscriptions(name, run.deadline);
    if (!count || !*count) continue;
    facts.consumers = static_cast<double>(**count);
    known[name] = {seen, gets, *facts.consumers};
  }
  subscriptions_ = std::move(known);
  if (left_out)
    run.out.warn("more than " + std::to_string(kMaxSubscriptionRequests) +
                 " quorum queues are read by basic.get: the consumers of some are not counted at this run");
}

std::map<QueueName, double> ManagementCollector::stream_lags(CollectRun& run, const QueueMap& queues) {
  const bool streams = std::any_of(queues.begin(), queues.end(),
                                   [](const auto& q) { return q.second.type == QueueType::stream; });
  if (!streams || (no_stream_plugin_at_ && run.now - *no_stream_plugin_at_ < kPluginStaysAway)) return {};
  auto lags = api_.stream_lags(run.deadline);
  if (!lags) {
    run.out.warn("consumer lag of streams: " + lags.error().message);
    return {};
  }
  no_stream_plugin_at_.reset();
  if (!*lags) {
    no_stream_plugin_at_ = run.now;
    return {};
  }
  return std::move(**lags);
}

}  // namespace sidelight::rabbitmq
