#include "collectors/rabbitmq/queue_book.h"

#include <algorithm>

#include "collectors/rabbitmq/metrics.h"

namespace sidelight::rabbitmq {
namespace {

// Publishers that set milliseconds where the protocol says seconds: no clock stands in the year 5000.
constexpr double kMilliseconds = 1e11;
// A publisher's clock may be ahead of ours; what is further ahead is no time.
constexpr double kMostAhead = 3600;

Labels labels_of(const QueueName& name) {
  return {{"vhost", name.first}, {"queue", name.second}};
}

Labels with_method(Labels labels, const char* method) {
  labels.emplace_back("method", method);
  return labels;
}

std::optional<double> measured_age(const QueueFacts& facts, WallNanos wall) {
  if (!facts.head_timestamp || facts.ready.value_or(0) < 1) return std::nullopt;
  const double stamp =
      *facts.head_timestamp >= kMilliseconds ? *facts.head_timestamp / 1000 : *facts.head_timestamp;
  const double age = static_cast<double>(wall) / 1e9 - stamp;
  if (stamp <= 0 || age < -kMostAhead) return std::nullopt;
  return std::max(age, 0.0);
}

void gauge(CollectRun& run, const MetricInfo& info, const std::optional<double>& value,
           const Labels& labels) {
  if (value) run.out.gauge(info, *value, labels);
}

}  // namespace

void QueueBook::broker_restarted() {
  for (auto& [name, queue] : queues_) queue.had_counters = false;
}

void QueueBook::note(MonoTime now, const QueueMap& queues, bool statistics) {
  std::erase_if(queues_, [&](const auto& known) { return !queues.contains(known.first); });
  for (const auto& [name, facts] : queues) {
    Queue& queue = queues_[name];
    if (facts.consumers.value_or(0) > 0) queue.consumed = true;
    queue.counters = facts.counters;
    if (queue.counters) queue.had_counters = true;
    if (!queue.counters && statistics && !queue.had_counters) queue.counters = QueueCounters{};
    if (facts.type == QueueType::stream || !facts.depth()) continue;
    QueueHistory::Observation o{now, *facts.ready, *facts.unacked, std::nullopt, std::nullopt};
    if (queue.counters) {
      o.published = queue.counters->published;
      o.acked = queue.counters->acked;
    }
    queue.history.observe(o);
  }
}

bool QueueBook::consumed(const QueueName& name) const {
  const auto it = queues_.find(name);
  return it != queues_.end() && it->second.consumed;
}

bool QueueBook::delays(const QueueFacts& facts, const Queue& queue) {
  const bool read = queue.consumed || (queue.counters && queue.counters->delivered > 0);
  return facts.has_ttl && facts.dead_letter_exchange && !read;
}

void QueueBook::show_queue(CollectRun& run, const QueueFacts& facts, const Queue& queue) const {
  const Labels labels = labels_of(facts.name);
  gauge(run, kReady, facts.ready, labels);
  gauge(run, kUnacked, facts.unacked, labels);
  gauge(run, kDepth, facts.depth(), labels);
  gauge(run, kConsumers, facts.consumers, labels);
  if (facts.consumers.value_or(0) > 0) gauge(run, kUtilisation, facts.utilisation, labels);
  if (queue.counters) {
    run.out.counter(kPublished, queue.counters->published, labels);
    run.out.counter(kDelivered, queue.counters->delivered, labels);
    run.out.counter(kAcked, queue.counters->acked, labels);
    run.out.counter(kRedelivered, queue.counters->redelivered, labels);
  }
  if (!facts.depth()) return;
  gauge(run, kGrowth, queue.history.growth_per_second(), labels);
  if (delays(facts, queue)) return run.out.gauge(kDelays, 1, labels);
  gauge(run, kDrain, queue.history.drain_seconds(), labels);
  if (const auto stalled = queue.history.stalled()) run.out.gauge(kStalled, *stalled ? 1 : 0, labels);
  if (const auto age = measured_age(facts, run.wall))
    run.out.gauge(kHeadAge, *age, with_method(labels, "measured"));
  else
    gauge(run, kHeadAge, queue.history.head_age_seconds(run.now), with_method(labels, "estimated"));
}

void QueueBook::show(CollectRun& run, const QueueMap& queues, const std::set<QueueName>& dead_letters,
                     const std::map<QueueName, double>& lags) const {
  for (const auto& [name, facts] : queues) {
    const auto queue = queues_.find(name);
    if (queue == queues_.end()) continue;
    if (facts.type == QueueType::stream) {
      gauge(run, kStreamMessages, facts.ready, labels_of(name));
      if (const auto lag = lags.find(name); lag != lags.end())
        run.out.gauge(kStreamLag, lag->second, labels_of(name));
    } else if (dead_letters.contains(name)) {
      gauge(run, kDeadLetterDepth, facts.depth(), labels_of(name));
      if (const auto arrived = queue->second.history.arrived())
        run.out.counter(kDeadLetterPublished, *arrived, labels_of(name));
      // From a retry queue the messages go back by themselves.
      if (delays(facts, queue->second)) run.out.gauge(kDelays, 1, labels_of(name));
    } else {
      show_queue(run, facts, queue->second);
    }
  }
}

}  // namespace sidelight::rabbitmq
