// RabbitMQ 3.10 and later, by its management API or, for depth alone, by rabbitmq_prometheus.
// docs/collectors/ rabbitmq.md says what each of them knows.
#pragma once

#include <memory>

#include "collectors/framework/collector.h"
#include "collectors/rabbitmq/metrics.h"
#include "collectors/rabbitmq/options.h"

namespace sidelight {

// `context` outlives it.
std::unique_ptr<Collector> make_rabbitmq_collector(const RabbitmqOptions& options,
                                                   const CollectorContext& context);

}  // namespace sidelight
