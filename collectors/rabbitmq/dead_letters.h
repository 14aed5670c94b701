// Which queues receive the dead letters of others.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/rabbitmq/answers.h"

namespace sidelight::rabbitmq {

// An exchange by vhost and name.
using ExchangeName = std::pair<std::string, std::string>;

struct Exchange {
  std::string type;
  std::vector<Binding> bindings;  // of which it is the source
};

// Where the dead letters of one queue go first.
struct DeadLetterRoute {
  QueueName from;
  std::string exchange;                    // "" is the default exchange
  std::optional<std::string> routing_key;  // absent: each message's own
  bool ttl = false;                        // messages of `from` expire
  bool consumed = false;                   // `from` has been seen with a consumer
};

// Whether a topic exchange routes `key` by `pattern`: words between dots, `*` one word, `#` any number.
bool topic_matches(std::string_view pattern, std::string_view key);

// Queues in which dead letters end up, by way of `exchanges` (those that are missing route nothing). Where it
// cannot be known which binding a message takes (its own routing key, a headers exchange), all of them count.
//
// A queue that only delays messages, and sends them on to where they are worked on, dead-letters too, but
// what receives them is no queue of dead letters: routes from a queue without consumers do not count when its
// messages expire, or when their way leads back to it.
std::set<QueueName> dead_letter_queues(const std::vector<DeadLetterRoute>& routes,
                                       const std::map<ExchangeName, Exchange>& exchanges);

}  // namespace sidelight::rabbitmq
