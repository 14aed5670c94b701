#include "collectors/catalog.h"

#include <string>

#include "collectors/cache/cache_metrics.h"
#include "collectors/framework/runner.h"
#include "collectors/http_json/collector.h"
#include "collectors/log_metrics/log_metrics.h"
#include "collectors/log_store/elasticsearch.h"
#include "collectors/log_store/logstash.h"
#include "collectors/memcached/collector.h"
#include "collectors/nginx/collector.h"
#include "collectors/objectives.h"
#include "collectors/postgres/collector.h"
#include "collectors/process/collector.h"
#include "collectors/rabbitmq/collector.h"
#include "collectors/redis/collector.h"

namespace sidelight {
namespace {

template <class Options, class Make>
void add(std::vector<CollectorTask>& tasks, const char* kind, const std::vector<Options>& targets,
         const CollectorContext& context, Make make, bool target_label = true) {
  for (const Options& options : targets)
    tasks.push_back({kind, options.target, make(options, context), target_label});
}

void append(std::vector<DeclaredMetric>& all, const std::vector<DeclaredMetric>& some) {
  all.insert(all.end(), some.begin(), some.end());
}

}  // namespace

std::vector<CollectorTask> make_collectors(const CollectorSettings& settings,
                                           const CollectorContext& context) {
  std::vector<CollectorTask> tasks;
  add(tasks, "http_json", settings.http_json, context, make_http_json_collector);
  add(tasks, "elasticsearch", settings.elasticsearch, context, make_elasticsearch_collector);
  add(tasks, "logstash", settings.logstash, context, make_logstash_collector);
  add(tasks, "memcached", settings.memcached, context, make_memcached_collector);
  add(tasks, "nginx", settings.nginx, context, make_nginx_collector);
  add(tasks, "rabbitmq", settings.rabbitmq, context, make_rabbitmq_collector);
  add(tasks, "redis", settings.redis, context, make_redis_collector);
  add(tasks, "postgres", settings.postgres, context, make_postgres_collector);
  if (settings.process)
    add(tasks, "process", std::vector{*settings.process}, context, make_process_collector, false);
  return tasks;
}

std::vector<DeclaredMetric> collector_metrics() {
  std::vector<DeclaredMetric> all = runner_metrics();
  append(all, objective_metrics());
  append(all, log_metrics_declared());
  append(all, nginx_metrics());
  append(all, cache_metrics());
  append(all, elasticsearch_metrics());
  append(all, logstash_metrics());
  append(all, process_metrics());
  append(all, rabbitmq_metrics());
  append(all, redis_metrics());
  append(all, postgres_metrics());
  return all;
}

}  // namespace sidelight
