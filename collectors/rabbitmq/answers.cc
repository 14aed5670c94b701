#include "collectors/rabbitmq/answers.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace sidelight::rabbitmq {
namespace {

using Json = nlohmann::json;

Json parse(std::string_view text) {
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

std::unexpected<Error> wrong_shape() {
  return fail("the answer is not one of RabbitMQ's management API; does `url` lead there?");
}

// Null when there is none.
const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::optional<double> number(const Json& object, const char* key) {
  const Json* value = member(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double n = value->get<double>();
  if (!std::isfinite(n)) return std::nullopt;
  return n;
}

std::optional<double> natural(const Json& object, const char* key) {
  const auto n = number(object, key);
  return n && *n >= 0 ? n : std::nullopt;
}

std::optional<std::string> text(const Json& object, const char* key) {
  const Json* value = member(object, key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

std::optional<bool> boolean(const Json& object, const char* key) {
  const Json* value = member(object, key);
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::size_t count(const Json& object, const char* key) {
  return static_cast<std::size_t>(std::min(natural(object, key).value_or(0), 1e9));
}

std::optional<QueueName> queue_name(const Json& object) {
  auto vhost = text(object, "vhost");
  auto name = text(object, "name");
  if (!vhost || !name) return std::nullopt;
  return QueueName(std::move(*vhost), std::move(*name));
}

std::optional<QueueCounters> counters(const Json& queue) {
  const Json* stats = member(queue, "message_stats");
  if (stats == nullptr || !stats->is_object() || stats->empty()) return std::nullopt;
  // Where there are statistics, a counter that is missing has not counted yet.
  const auto value = [&](const char* key) { return natural(*stats, key).value_or(0); };
  QueueCounters c;
  c.published = value("publish");
  c.delivered = value("deliver_get");
  c.acked = value("ack") + value("deliver_no_ack") + value("get_no_ack");
  c.redelivered = value("redeliver");
  c.gets = value("get");
  return c;
}

// Arguments of the queue win over its policy.
void read_dead_lettering(const Json& queue, QueueFacts& facts) {
  static const Json kNone = Json::object();
  const Json* arguments = member(queue, "arguments");
  const Json* policy = member(queue, "effective_policy_definition");
  const Json& a = arguments != nullptr ? *arguments : kNone;
  const Json& p = policy != nullptr ? *policy : kNone;
  facts.dead_letter_exchange = text(a, "x-dead-letter-exchange");
  if (!facts.dead_letter_exchange) facts.dead_letter_exchange = text(p, "dead-letter-exchange");
  facts.dead_letter_routing_key = text(a, "x-dead-letter-routing-key");
  if (!facts.dead_letter_routing_key) facts.dead_letter_routing_key = text(p, "dead-letter-routing-key");
  facts.has_ttl = number(a, "x-message-ttl").has_value() || number(p, "message-ttl").has_value();
}

std::optional<QueueFacts> read_queue(const Json& queue) {
  auto name = queue_name(queue);
  if (!name) return std::nullopt;
  QueueFacts facts;
  facts.name = std::move(*name);
  const auto type = text(queue, "type").value_or("");
  if (type == "quorum") facts.type = QueueType::quorum;
  if (type == "stream") facts.type = QueueType::stream;
  facts.ready = natural(queue, "messages_ready");
  facts.unacked = natural(queue, "messages_unacknowledged");
  facts.consumers = natural(queue, "consumers");
  facts.utilisation = number(queue, "consumer_utilisation");
  if (facts.utilisation && (*facts.utilisation < 0 || *facts.utilisation > 1)) facts.utilisation.reset();
  facts.head_timestamp = natural(queue, "head_message_timestamp");
  facts.counters = counters(queue);
  read_dead_lettering(queue, facts);
  return facts;
}

}  // namespace

const char* const kQueueColumns =
    "name,vhost,type,messages_ready,messages_unacknowledged,consumers,consumer_utilisation,"
    "head_message_timestamp,message_stats.publish,message_stats.deliver_get,message_stats.deliver_no_ack,"
    "message_stats.get,message_stats.get_no_ack,message_stats.ack,message_stats.redeliver,"
    "arguments.x-dead-letter-exchange,arguments.x-dead-letter-routing-key,arguments.x-message-ttl,"
    "effective_policy_definition.dead-letter-exchange,effective_policy_definition.dead-letter-routing-key,"
    "effective_policy_definition.message-ttl";
const char* const kNodeColumns =
    "name,running,mem_alarm,disk_free_alarm,mem_used,mem_limit,disk_free,disk_free_limit,uptime";
const char* const kOverviewColumns = "rabbitmq_version,disable_stats,object_totals.connections";
const char* const kBindingColumns = "destination,destination_type,routing_key";

Expected<QueuePage> read_queue_page(std::string_view json) {
  const Json root = parse(json);
  const Json* items = member(root, "items");
  if (items == nullptr || !items->is_array()) return wrong_shape();
  QueuePage page;
  page.pages = count(root, "page_count");
  page.filtered = count(root, "filtered_count");
  page.queues.reserve(items->size());
  for (const Json& item : *items) {
    if (auto queue = read_queue(item)) page.queues.push_back(std::move(*queue));
  }
  return page;
}

Expected<std::vector<NodeFacts>> read_nodes(std::string_view json) {
  const Json root = parse(json);
  if (!root.is_array()) return wrong_shape();
  std::vector<NodeFacts> nodes;
  for (const Json& item : root) {
    auto name = text(item, "name");
    if (!name) continue;
    NodeFacts node;
    node.name = std::move(*name);
    node.running = boolean(item, "running").value_or(false);
    node.memory_alarm = boolean(item, "mem_alarm");
    node.disk_alarm = boolean(item, "disk_free_alarm");
    node.memory_used = natural(item, "mem_used");
    node.memory_limit = natural(item, "mem_limit");
    node.disk_free = natural(item, "disk_free");
    node.disk_limit = natural(item, "disk_free_limit");
    if (const auto ms = natural(item, "uptime"); ms && *ms < 1e13) node.uptime_seconds = *ms / 1000;
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Expected<Overview> read_overview(std::string_view json) {
  const Json root = parse(json);
  auto version = text(root, "rabbitmq_version");
  if (!version) return wrong_shape();
  Overview overview;
  overview.version = std::move(*version);
  overview.no_statistics = boolean(root, "disable_stats").value_or(false);
  if (const Json* totals = member(root, "object_totals"))
    overview.connections = natural(*totals, "connections");
  return overview;
}

Expected<std::vector<Binding>> read_bindings(std::string_view json) {
  const Json root = parse(json);
  if (!root.is_array()) return wrong_shape();
  std::vector<Binding> bindings;
  for (const Json& item : root) {
    auto destination = text(item, "destination");
    if (!destination) continue;
    bindings.push_back({std::move(*destination), text(item, "destination_type") == "exchange",
                        text(item, "routing_key").value_or("")});
  }
  return bindings;
}

Expected<std::string> read_exchange_type(std::string_view json) {
  auto type = text(parse(json), "type");
  if (!type) return wrong_shape();
  return std::move(*type);
}

Expected<std::size_t> read_consumer_count(std::string_view json) {
  const Json root = parse(json);
  if (!root.is_object()) return wrong_shape();
  const Json* details = member(root, "consumer_details");
  return details != nullptr && details->is_array() ? details->size() : 0;
}

Expected<std::map<QueueName, double>> read_stream_lags(std::string_view json) {
  const Json root = parse(json);
  if (!root.is_array()) return wrong_shape();
  std::map<QueueName, double> lags;
  for (const Json& item : root) {
    const Json* queue = member(item, "queue");
    const auto lag = natural(item, "offset_lag");
    if (queue == nullptr || !lag) continue;
    auto name = queue_name(*queue);
    if (!name) continue;
    double& worst = lags.try_emplace(std::move(*name), 0).first->second;
    worst = std::max(worst, *lag);
  }
  return lags;
}

std::string read_reason(std::string_view json) {
  return text(parse(json), "reason").value_or("");
}

}  // namespace sidelight::rabbitmq
