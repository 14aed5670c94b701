// What the management API of RabbitMQ answers, as plain structs. Formats: the API's own page at
// /api/index.html of the broker, and answers of 3.10.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/error.h"

namespace sidelight::rabbitmq {

// Vhost and name.
using QueueName = std::pair<std::string, std::string>;

enum class QueueType { classic, quorum, stream };

// Counters of `message_stats`, from the broker's start or the queue's first message on.
struct QueueCounters {
  double published = 0;
  double delivered = 0;  // to consumers and by basic.get
  double acked = 0;      // acknowledged, or delivered to those who need not acknowledge
  double redelivered = 0;
  double gets = 0;  // by basic.get, with acknowledgement
};

// One queue. What the broker does not say is absent.
struct QueueFacts {
  QueueName name;
  QueueType type = QueueType::classic;
  std::optional<double> ready;
  std::optional<double> unacked;
  std::optional<double> consumers;
  std::optional<double> utilisation;                // 0..1
  std::optional<double> head_timestamp;             // seconds since 1970, as the publisher set it
  std::optional<QueueCounters> counters;            // absent: idle since the broker's start, or no statistics
  std::optional<std::string> dead_letter_exchange;  // "" is the default exchange
  std::optional<std::string> dead_letter_routing_key;  // absent: the message's own
  bool has_ttl = false;                                // of its messages, by argument or policy

  std::optional<double> depth() const {
    if (!ready || !unacked) return std::nullopt;
    return *ready + *unacked;
  }
};

struct QueuePage {
  std::vector<QueueFacts> queues;
  std::size_t pages = 0;     // that there are
  std::size_t filtered = 0;  // queues on all of them
};

struct NodeFacts {
  std::string name;
  bool running = false;
  std::optional<bool> memory_alarm;
  std::optional<bool> disk_alarm;
  std::optional<double> memory_used;
  std::optional<double> memory_limit;
  std::optional<double> disk_free;
  std::optional<double> disk_limit;
  std::optional<double> uptime_seconds;
};

struct Overview {
  std::string version;
  bool no_statistics = false;  // `management.disable_stats` is set
  std::optional<double> connections;
};

struct Binding {
  std::string destination;
  bool to_exchange = false;
  std::string routing_key;
};

// Columns that the readers below want; without them the broker sends ten times as much.
extern const char* const kQueueColumns;
extern const char* const kNodeColumns;
extern const char* const kOverviewColumns;
extern const char* const kBindingColumns;

// Readers: any bytes in; an error when the text is not JSON or not of that shape. Single values of a wrong
// type count as absent, queues and nodes without a name are left out.
Expected<QueuePage> read_queue_page(std::string_view json);
Expected<std::vector<NodeFacts>> read_nodes(std::string_view json);
Expected<Overview> read_overview(std::string_view json);
Expected<std::vector<Binding>> read_bindings(std::string_view json);
Expected<std::string> read_exchange_type(std::string_view json);
// Entries of consumer_details of one queue.
Expected<std::size_t> read_consumer_count(std::string_view json);
// The greatest offset_lag of each stream's consumers.
Expected<std::map<QueueName, double>> read_stream_lags(std::string_view json);
// `reason` of an error answer; "" when there is none.
std::string read_reason(std::string_view json);

}  // namespace sidelight::rabbitmq
