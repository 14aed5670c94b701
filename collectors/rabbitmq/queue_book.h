// Remembers the queues of one broker from run to run, and turns what was found out about them into samples.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "collectors/framework/collector.h"
#include "collectors/rabbitmq/answers.h"
#include "collectors/rabbitmq/queue_history.h"

namespace sidelight::rabbitmq {

using QueueMap = std::map<QueueName, QueueFacts>;

// Bounded by the queues of the last run, which its caller bounds. One thread.
class QueueBook {
 public:
  // Counters begin again at zero: a queue that then has none has none since.
  void broker_restarted();
  // Notes what was found at this run and forgets the queues that are gone. `statistics`: whether the broker
  // keeps any, so that a queue without counters has never had a message.
  void note(MonoTime now, const QueueMap& queues, bool statistics);
  // Whether the queue has been seen with a consumer.
  bool consumed(const QueueName& name) const;

  // After note(), with the same queues. `dead_letters` are shown as such; `lags` as far as known.
  void show(CollectRun& run, const QueueMap& queues, const std::set<QueueName>& dead_letters,
            const std::map<QueueName, double>& lags) const;

 private:
  struct Queue {
    QueueHistory history;
    std::optional<QueueCounters> counters;  // as they are to be shown
    bool had_counters = false;
    bool consumed = false;
  };
  static bool delays(const QueueFacts& facts, const Queue& queue);
  void show_queue(CollectRun& run, const QueueFacts& facts, const Queue& queue) const;

  std::map<QueueName, Queue> queues_;
};

}  // namespace sidelight::rabbitmq
