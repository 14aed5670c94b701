#include "collectors/rabbitmq/detailed_collector.h"

#include <algorithm>
#include <utility>

#include "collectors/rabbitmq/metrics.h"

namespace sidelight::rabbitmq {
namespace {

// About 600 bytes a queue, of all queues of the node: the endpoint has no filter by name.
constexpr std::size_t kMaxAnswer = 16u << 20;

std::string host_and_port(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t from = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(from, url.find('/', from) - from);
}

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void keep_greater(std::optional<double>& to, const std::optional<double>& from) {
  if (from) to = std::max(to.value_or(0), *from);
}

}  // namespace

DetailedCollector::DetailedCollector(const RabbitmqOptions& options, const CollectorContext& context)
    : clock_(context.clock),
      query_(std::string("/metrics/detailed?") + kDetailedFamilies),
      filter_(joined(options.queues, options.dead_letter_queues)),
      dead_letter_filter_(options.dead_letter_queues) {
  for (const auto& vhost : options.vhosts) query_ += "&vhost=" + url_encoded(vhost);
  for (std::string url : options.prometheus_urls) {
    while (url.ends_with('/')) url.pop_back();
    const std::string name = host_and_port(url);
    nodes_.push_back({std::move(url), name, std::make_unique<HttpFetch>(context.fs, options.access)});
  }
}

Expected<DetailedAnswer> DetailedCollector::ask(Node& node, const Deadline& deadline) const {
  auto page = node.fetch->get(node.url + query_, deadline, kMaxAnswer);
  if (!page) return std::unexpected(page.error());
  auto answer = read_detailed(*page, filter_, kMaxQueues);
  if (!answer) return fail(host_and_port(node.url) + ": " + answer.error().message);
  if (!answer->knows_depth)
    return fail(host_and_port(node.url) +
                ": this broker has no family queue_coarse_metrics at /metrics/detailed; "
                "RabbitMQ 3.10 or later is needed");
  return answer;
}

void DetailedCollector::show_node(CollectRun& run, const NodeFacts& facts) const {
  const Labels labels{{"node", facts.name}};
  if (facts.memory_used) run.out.gauge(kMemoryUsed, *facts.memory_used, labels);
  if (facts.memory_limit) run.out.gauge(kMemoryLimit, *facts.memory_limit, labels);
  if (facts.disk_free) run.out.gauge(kDiskFree, *facts.disk_free, labels);
  if (facts.disk_limit) run.out.gauge(kDiskLimit, *facts.disk_limit, labels);
}

// A queue that two nodes tell of has moved from one to the other, and one of them does not know it yet.
void DetailedCollector::merge(const DetailedAnswer& answer, QueueMap& queues) const {
  for (const auto& [name, queue] : answer.queues) {
    if (queues.size() >= kMaxQueues && !queues.contains(name)) continue;
    QueueFacts& facts = queues[name];
    facts.name = name;
    keep_greater(facts.ready, queue.ready);
    keep_greater(facts.unacked, queue.unacked);
    keep_greater(facts.consumers, queue.consumers);
    if (queue.reductions && *queue.reductions == 0) facts.type = QueueType::stream;
  }
}

Expected<void> DetailedCollector::collect(CollectRun& run) {
  QueueMap queues;
  std::set<std::string> shown;
  std::string failed;
  bool any = false;
  bool too_many = false;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    // Each one gets its share, so that one that hangs leaves time for the others.
    const auto now = clock_.now();
    const Deadline share(clock_,
                         now + (run.deadline.at() - now) / static_cast<std::int64_t>(nodes_.size() - i));
    const auto answer = ask(node, share);
    if (answer && !answer->node.name.empty()) node.name = answer->node.name;
    const bool first_of_that_name = shown.insert(node.name).second;
    if (first_of_that_name) run.out.gauge(kNodeUp, answer ? 1 : 0, {{"node", node.name}});
    if (!answer) {
      failed += (failed.empty() ? "" : "; ") + answer.error().message;
      continue;
    }
    if (!answer->knows_consumers)
      run.out.warn(node.name + " has no family queue_consumer_count: consumers are missing");
    if (!any) run.out.gauge(kInfo, 1, {{"version", answer->version}});
    any = true;
    too_many |= answer->too_many;
    if (first_of_that_name) show_node(run, answer->node);
    merge(*answer, queues);
  }
  if (!any) return fail(failed);
  if (!failed.empty()) run.out.warn("queues of a node are missing: " + failed);
  if (too_many)
    run.out.warn("more than " + std::to_string(kMaxQueues) +
                 " queues match; narrow the patterns of `queues`");
  if (failed.empty() && !too_many) run.out.gauge(kQueues, static_cast<double>(queues.size()));

  std::set<QueueName> dead_letters;
  for (const auto& [name, facts] : queues) {
    if (dead_letter_filter_.matches(name.second)) dead_letters.insert(name);
  }
  book_.note(run.now, queues, false);
  book_.show(run, queues, dead_letters, {});
  return {};
}

}  // namespace sidelight::rabbitmq
