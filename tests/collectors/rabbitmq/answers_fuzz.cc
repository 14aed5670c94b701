// Answers of the broker are bytes from outside. The first byte says which reader gets the rest.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/rabbitmq/answers.h"
#include "collectors/rabbitmq/detailed_metrics.h"

namespace {

using sidelight::rabbitmq::QueueFacts;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_natural(const std::optional<double>& value) {
  check(!value || (std::isfinite(*value) && *value >= 0));
}

void check_queue(const QueueFacts& q) {
  for (const auto& value : {q.ready, q.unacked, q.consumers, q.utilisation, q.head_timestamp})
    check_natural(value);
  check(!q.utilisation || *q.utilisation <= 1);
  if (q.counters) {
    check_natural(q.counters->published);
    check_natural(q.counters->acked);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace rabbitmq = sidelight::rabbitmq;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0]) {
    case 'q':
      if (const auto page = rabbitmq::read_queue_page(text)) {
        for (const auto& queue : page->queues) check_queue(queue);
      }
      break;
    case 'n':
      if (const auto nodes = rabbitmq::read_nodes(text)) {
        for (const auto& node : *nodes) check_natural(node.memory_used);
      }
      break;
    case 'o':
      if (const auto overview = rabbitmq::read_overview(text)) check_natural(overview->connections);
      break;
    case 'b':
      static_cast<void>(rabbitmq::read_bindings(text));
      static_cast<void>(rabbitmq::read_exchange_type(text));
      static_cast<void>(rabbitmq::read_consumer_count(text));
      static_cast<void>(rabbitmq::read_reason(text));
      break;
    case 's':
      if (const auto lags = rabbitmq::read_stream_lags(text)) {
        for (const auto& [name, lag] : *lags) check_natural(lag);
      }
      break;
    default:
      if (const auto a = rabbitmq::read_detailed(text, sidelight::NameFilter({"*"}), 10)) {
        check(a->queues.size() <= 10);
        for (const auto& [name, queue] : a->queues) check_natural(queue.ready);
        check_natural(a->node.memory_used);
      }
  }
  return 0;
}
