#include "collectors/redis/endpoint.h"
#include "collectors/redis/options.h"
#include "config/schema_collectors.h"

namespace sidelight {
namespace {

// T has a member of type RedisUser, which `user` leads to.
template <class T, class User>
void add_user_keys(SchemaBuilder<T>& s, User user, const char* example) {
  s.field(
       "username", KeyType::text, [user](T& o) -> auto& { return user(o).username; }, "ACL user.")
      .default_note("the default user")
      .example("sidelight");
  s.field(
       "password", KeyType::secret, [user](T& o) -> auto& { return user(o).password; },
       "Its password; better from the environment or, best, as `password_file`.")
      .example("${REDIS_PASSWORD}");
  s.field(
       "password_file", KeyType::secret_file, [user](T& o) -> auto& { return user(o).password_file; },
       "File with the password; read again at each run.")
      .example(example);
  s.at_most_one({"password", "password_file"});
}

std::shared_ptr<const ObjectSchema> sentinel_schema() {
  using S = SentinelOptions;
  SchemaBuilder<S> s("Sentinels that know the primary and its replicas; all of them are watched.");
  s.field(
       "master", KeyType::text, [](S& o) -> auto& { return o.master; }, "The name that Sentinel knows it by.")
      .required()
      .example("mymaster");
  s.field(
       "hosts", KeyType::texts, [](S& o) -> auto& { return o.hosts; },
       "`HOST[:PORT]` of each Sentinel, without a port 26379; asked in this order until one answers.")
      .required()
      .at_least(1)
      .check(check_sentinel_host)
      .example("[sentinel-0:26379, sentinel-1:26379]");
  add_user_keys(s, [](S& o) -> auto& { return o.user; }, "/run/secrets/sentinel-password");
  return s.done();
}

}  // namespace

std::shared_ptr<const ObjectSchema> redis_schema() {
  using R = RedisOptions;
  SchemaBuilder<R> s("Redis, and what speaks its protocol: one server, or a primary with its replicas.");
  s.field(
       "url", KeyType::text, [](R& o) -> auto& { return o.url; },
       "`redis://HOST[:PORT]`, or `rediss://` for TLS, without a port 6379.")
      .check(check_redis_url)
      .example("redis://127.0.0.1:6379");
  s.object("sentinel", [](R& o) -> auto& { return o.sentinel; }, sentinel_schema());
  s.exactly_one({"url", "sentinel"});
  s.field(
      "replicas", KeyType::boolean, [](R& o) -> auto& { return o.replicas; },
      "With `url`: whether the replicas that the server names are asked too; they must be reachable from "
      "here "
      "under the addresses that it knows. Sentinel always gives them.");
  add_user_keys(s, [](R& o) -> auto& { return o.user; }, "/run/secrets/redis-password");
  s.object(
      "tls", [](R& o) -> auto& { return o.tls; },
      tls_schema("TLS towards a `rediss://` server. With `sentinel` the section, even an empty one, `{}`, "
                 "switches it on for all of them."));
  add_target_keys(s);
  return s.done();
}

}  // namespace sidelight
