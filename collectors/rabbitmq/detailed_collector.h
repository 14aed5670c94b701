// Depth of queues alone, by rabbitmq_prometheus of every node.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/framework/collector.h"
#include "collectors/framework/http_fetch.h"
#include "collectors/rabbitmq/detailed_metrics.h"
#include "collectors/rabbitmq/name_filter.h"
#include "collectors/rabbitmq/options.h"
#include "collectors/rabbitmq/queue_book.h"

namespace sidelight::rabbitmq {

// A node that does not answer is down; the run succeeds as long as one of them answers.
class DetailedCollector final : public Collector {
 public:
  DetailedCollector(const RabbitmqOptions& options, const CollectorContext& context);
  Expected<void> collect(CollectRun& run) override;

 private:
  struct Node {
    std::string url;
    std::string name;  // its own, or host and port until it said it
    std::unique_ptr<HttpFetch> fetch;
  };
  Expected<DetailedAnswer> ask(Node& node, const Deadline& deadline) const;
  void show_node(CollectRun& run, const NodeFacts& facts) const;
  void merge(const DetailedAnswer& answer, QueueMap& queues) const;

  const Clock& clock_;
  std::string query_;
  NameFilter filter_;
  NameFilter dead_letter_filter_;
  std::vector<Node> nodes_;
  QueueBook book_;
};

}  // namespace sidelight::rabbitmq
