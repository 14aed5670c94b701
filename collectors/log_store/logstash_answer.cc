#include "collectors/log_store/logstash_answer.h"

#include "collectors/framework/bounded_json.h"

namespace sidelight {
namespace {

using Json = nlohmann::json;

LogRelayPipeline read_pipeline(const std::string& name, const Json& from) {
  LogRelayPipeline p;
  p.name = name;
  p.events_in = json_number(from, {"events", "in"});
  p.events_filtered = json_number(from, {"events", "filtered"});
  p.events_out = json_number(from, {"events", "out"});
  // events_count since 7.5; events is the older name, and there for persisted queues.
  p.queue_events = json_number(from, {"queue", "events_count"});
  if (!p.queue_events) p.queue_events = json_number(from, {"queue", "events"});
  if (json_text(from, {"queue", "type"}) == "persisted") {
    p.queue_bytes = json_number(from, {"queue", "queue_size_in_bytes"});
    if (!p.queue_bytes) p.queue_bytes = json_number(from, {"queue", "capacity", "queue_size_in_bytes"});
    p.queue_limit_bytes = json_number(from, {"queue", "max_queue_size_in_bytes"});
    if (!p.queue_limit_bytes)
      p.queue_limit_bytes = json_number(from, {"queue", "capacity", "max_queue_size_in_bytes"});
  }
  p.reload_successes = json_number(from, {"reloads", "successes"});
  p.reload_failures = json_number(from, {"reloads", "failures"});
  return p;
}

}  // namespace

Expected<LogRelayStats> parse_relay_stats(std::string_view body) {
  const auto root = parse_bounded_json(body);
  if (!root) return std::unexpected(root.error());
  const Json* const pipelines = find_json(*root, {"pipelines"});
  if (pipelines == nullptr || !pipelines->is_object())
    return fail("the answer is not one of Logstash: it has no pipelines");
  LogRelayStats out;
  for (const auto& [name, pipeline] : pipelines->items()) {
    if (name.starts_with('.')) continue;  // .monitoring-logstash
    if (out.pipelines.size() == kMaxRelayPipelines) break;
    out.pipelines.push_back(read_pipeline(name, pipeline));
  }
  if (const auto percent = json_number(*root, {"jvm", "mem", "heap_used_percent"}))
    out.heap_used_ratio = *percent / 100;
  return out;
}

}  // namespace sidelight
