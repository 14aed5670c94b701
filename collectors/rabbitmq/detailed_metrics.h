// What rabbitmq_prometheus says at /metrics/detailed of one node.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.h"
#include "collectors/rabbitmq/answers.h"
#include "collectors/rabbitmq/name_filter.h"

namespace sidelight::rabbitmq {

struct DetailedQueue {
  std::optional<double> ready;
  std::optional<double> unacked;
  std::optional<double> consumers;
  // Work that the queue's process did; a stream has no process of its own, and here is always zero.
  std::optional<double> reductions;
};

struct DetailedAnswer {
  // Whether the broker knows the families that were asked for. It answers one that it does not know with
  // nothing at all.
  bool knows_depth = false;
  bool knows_consumers = false;
  std::map<QueueName, DetailedQueue> queues;  // those that the filter takes
  bool too_many = false;                      // some were left out
  NodeFacts node;                             // name "" when it does not say; no alarms
  std::string version;
};

// The families asked for, as a query.
extern const char* const kDetailedFamilies;

// Text format 0.0.4. Lines that are none of it are skipped; an error when nothing in the text names RabbitMQ.
Expected<DetailedAnswer> read_detailed(std::string_view page, const NameFilter& filter,
                                       std::size_t most_queues);

}  // namespace sidelight::rabbitmq
