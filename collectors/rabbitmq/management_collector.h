// Everything about a broker, by its management API.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/framework/collector.h"
#include "collectors/rabbitmq/dead_letters.h"
#include "collectors/rabbitmq/management_api.h"
#include "collectors/rabbitmq/name_filter.h"
#include "collectors/rabbitmq/options.h"
#include "collectors/rabbitmq/queue_book.h"

namespace sidelight::rabbitmq {

class ManagementCollector final : public Collector {
 public:
  ManagementCollector(const RabbitmqOptions& options, const CollectorContext& context);
  Expected<void> collect(CollectRun& run) override;

 private:
  Expected<void> ask_nodes(CollectRun& run);
  Expected<void> ask_queues(CollectRun& run, QueueMap& queues);
  Expected<void> ask_pages(CollectRun& run, const std::string& vhost, const std::string& regex,
                           QueueMap& queues, std::size_t& matching);
  Expected<void> find_dead_letter_queues(CollectRun& run, QueueMap& queues);
  void resolve_exchanges(CollectRun& run, const std::vector<DeadLetterRoute>& routes);
  Expected<void> add_queues_outside(CollectRun& run, QueueMap& queues);
  void count_subscriptions(CollectRun& run, QueueMap& queues);
  std::map<QueueName, double> stream_lags(CollectRun& run, const QueueMap& queues);

  RabbitmqOptions options_;
  ManagementApi api_;
  NameFilter filter_;                 // what is shown
  NameFilter dead_letter_filter_;     // what is shown as dead letters, for it was configured
  std::vector<std::string> regexes_;  // for the broker: both

  QueueBook book_;
  std::map<std::string, MonoTime> begun_;  // by node: when it started
  bool statistics_ = true;

  // Found from other queues' arguments and policies.
  std::set<QueueName> dead_letters_;
  std::set<ExchangeName> exchanges_asked_;
  std::map<ExchangeName, Exchange> exchanges_;
  std::optional<MonoTime> exchanges_at_;

  struct Subscriptions {
    double seen = 0;  // what the list of queues said then
    double gets = 0;
    double real = 0;
  };
  std::map<QueueName, Subscriptions> subscriptions_;  // of quorum queues that were read by basic.get
  std::optional<MonoTime> no_stream_plugin_at_;
};

}  // namespace sidelight::rabbitmq
