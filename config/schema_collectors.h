// The schemas of collectors, and the keys that they share. Included by schema_*.cc only.
#pragma once

#include <memory>

#include "collectors/framework/collector.h"
#include "collectors/framework/http_fetch.h"
#include "config/schema_builder.h"

namespace sidelight {

std::shared_ptr<const ObjectSchema> collectors_schema();  // CollectorSettings
std::shared_ptr<const ObjectSchema> nginx_schema();
std::shared_ptr<const ObjectSchema> log_metrics_schema();  // LogMetricsOptions
std::shared_ptr<const ObjectSchema> rabbitmq_schema();
std::shared_ptr<const ObjectSchema> redis_schema();
std::shared_ptr<const ObjectSchema> postgres_schema();
std::shared_ptr<const ObjectSchema> http_json_schema();
std::shared_ptr<const ObjectSchema> memcached_schema();
std::shared_ptr<const ObjectSchema> process_schema();
std::shared_ptr<const ObjectSchema> log_store_schema();  // LogStoreOptions
std::shared_ptr<const ObjectSchema> log_relay_schema();  // LogRelayOptions

// The keys of every target. T has a member `target` of type TargetOptions.
template <class T>
void add_target_keys(SchemaBuilder<T>& s) {
  s.field(
       "name", KeyType::text, [](T& o) -> auto& { return o.target.name; },
       "The label `target` of its series; unique among targets of one kind.")
      .default_note("host and port")
      .example("mes-main");
  s.field(
       "interval", KeyType::duration, [](T& o) -> auto& { return o.target.interval; },
       "Time between two runs, give or take 5 %.")
      .between(1000, 3'600'000);
  s.field(
       "timeout", KeyType::duration, [](T& o) -> auto& { return o.target.timeout; },
       "A run that takes longer has failed.")
      .between(100, 300'000);
}

// How a target that is asked by HTTP lets us in. T has a member `access` of type HttpAccess.
template <class T>
void add_access_keys(SchemaBuilder<T>& s) {
  s.field(
       "username", KeyType::text, [](T& o) -> auto& { return o.access.username; },
       "User for basic authentication.")
      .example("monitoring");
  s.field(
       "password", KeyType::secret, [](T& o) -> auto& { return o.access.password; },
       "Its password; better from the environment or, best, as `password_file`.")
      .example("${TARGET_PASSWORD}");
  s.field(
       "password_file", KeyType::secret_file, [](T& o) -> auto& { return o.access.password_file; },
       "File with the password; read again at each run.")
      .example("/run/secrets/target-password");
  s.field(
       "token_file", KeyType::secret_file, [](T& o) -> auto& { return o.access.token_file; },
       "File with a bearer token, in place of a user; read again at each run.")
      .example("/run/secrets/target-token");
  s.object("tls", [](T& o) -> auto& { return o.access.tls; }, tls_schema());
  s.at_most_one({"password", "password_file"});
  s.at_most_one({"username", "token_file"});
  s.needs("password", "username");
  s.needs("password_file", "username");
}

}  // namespace sidelight
