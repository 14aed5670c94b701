// Settings of the RabbitMQ collector.
#pragma once

#include <string>
#include <vector>

#include "collectors/framework/collector.h"
#include "collectors/framework/http_fetch.h"

namespace sidelight {

struct RabbitmqOptions {
  TargetOptions target;
  std::string url;                           // of the management API
  std::vector<std::string> prometheus_urls;  // or of rabbitmq_prometheus, one for each node
  std::vector<std::string> vhosts;           // empty: all
  std::vector<std::string> queues;           // globs; /.../ is a regular expression
  std::vector<std::string> dead_letter_queues;
  bool find_dead_letters = true;
  HttpAccess access;
};

}  // namespace sidelight
