#include "collectors/rabbitmq/collector.h"

#include "collectors/rabbitmq/detailed_collector.h"
#include "collectors/rabbitmq/management_collector.h"

namespace sidelight {

std::unique_ptr<Collector> make_rabbitmq_collector(const RabbitmqOptions& options,
                                                   const CollectorContext& context) {
  if (options.prometheus_urls.empty())
    return std::make_unique<rabbitmq::ManagementCollector>(options, context);
  return std::make_unique<rabbitmq::DetailedCollector>(options, context);
}

}  // namespace sidelight
