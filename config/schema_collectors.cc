#include "config/schema_collectors.h"

#include "collectors/settings.h"

namespace sidelight {

std::shared_ptr<const ObjectSchema> nginx_schema() {
  SchemaBuilder<NginxOptions> s("nginx, by its stub_status page.");
  s.field(
       "url", KeyType::url, [](NginxOptions& o) -> auto& { return o.url; },
       "URL of a location with `stub_status`.")
      .required()
      .example("http://127.0.0.1:8080/stub_status");
  add_target_keys(s);
  add_access_keys(s);
  return s.done();
}

std::shared_ptr<const ObjectSchema> collectors_schema() {
  using C = CollectorSettings;
  SchemaBuilder<C> s(
      "Targets to watch: each kind has one target, or a list of them. One instance beside each target is "
      "enough; a "
      "second one changes no alert.");
  s.objects("http_json", [](C& c) -> auto& { return c.http_json; }, http_json_schema());
  s.objects("elasticsearch", [](C& c) -> auto& { return c.elasticsearch; }, log_store_schema());
  s.objects("logstash", [](C& c) -> auto& { return c.logstash; }, log_relay_schema());
  s.objects("memcached", [](C& c) -> auto& { return c.memcached; }, memcached_schema());
  s.object("process", [](C& c) -> auto& { return c.process; }, process_schema());
  s.objects("nginx", [](C& c) -> auto& { return c.nginx; }, nginx_schema());
  s.objects("rabbitmq", [](C& c) -> auto& { return c.rabbitmq; }, rabbitmq_schema());
  s.objects("redis", [](C& c) -> auto& { return c.redis; }, redis_schema());
  s.objects("postgres", [](C& c) -> auto& { return c.postgres; }, postgres_schema());
  return s.done();
}

}  // namespace sidelight
