#include "collectors/log_store/options.h"
#include "config/schema_collectors.h"

namespace sidelight {

std::shared_ptr<const ObjectSchema> log_store_schema() {
  using O = LogStoreOptions;
  SchemaBuilder<O> s("An Elasticsearch or OpenSearch cluster, as the place that logs go to.");
  s.field(
       "url", KeyType::url, [](O& o) -> auto& { return o.url; },
       "URL of any node, or of what stands before them.")
      .required()
      .example("http://127.0.0.1:9200");
  add_target_keys(s);
  add_access_keys(s);
  return s.done();
}

std::shared_ptr<const ObjectSchema> log_relay_schema() {
  using O = LogRelayOptions;
  SchemaBuilder<O> s("Logstash, by its monitoring API.");
  s.field(
       "url", KeyType::url, [](O& o) -> auto& { return o.url; },
       "URL of the monitoring API (`api.http.port`).")
      .required()
      .example("http://127.0.0.1:9600");
  add_target_keys(s);
  add_access_keys(s);
  return s.done();
}

}  // namespace sidelight
