#include "collectors/rabbitmq/name_filter.h"
#include "collectors/rabbitmq/options.h"
#include "config/schema_collectors.h"

namespace sidelight {

std::shared_ptr<const ObjectSchema> rabbitmq_schema() {
  using R = RabbitmqOptions;
  SchemaBuilder<R> s("RabbitMQ, by its management API or by rabbitmq_prometheus.");
  s.field(
       "url", KeyType::url, [](R& o) -> auto& { return o.url; },
       "URL of the management API, of any node of the cluster. The user needs the tag `monitoring`.")
      .example("http://127.0.0.1:15672");
  s.field(
       "prometheus_urls", KeyType::urls, [](R& o) -> auto& { return o.prometheus_urls; },
       "In place of `url`: rabbitmq_prometheus of every node. It knows depth and consumers alone, no "
       "counters "
       "and no ages.")
      .at_least(1)
      .example("[http://rabbit-0:15692, http://rabbit-1:15692]");
  s.exactly_one({"url", "prometheus_urls"});
  s.field(
       "queues", KeyType::texts, [](R& o) -> auto& { return o.queues; },
       "Which queues: globs (`*` any characters, `?` one) that the whole name matches, or regular "
       "expressions "
       "between slashes. At most 1000 queues are shown.")
      .required()
      .at_least(1)
      .check(check_name_pattern)
      .example("[\"mes.*\"]");
  s.field(
       "vhosts", KeyType::texts, [](R& o) -> auto& { return o.vhosts; }, "Virtual hosts to look at.")
      .default_note("all")
      .example("[/]");
  s.field(
       "dead_letter_queues", KeyType::texts, [](R& o) -> auto& { return o.dead_letter_queues; },
       "Patterns as in `queues`: these are queues of dead letters, whatever is found out about them.")
      .check(check_name_pattern)
      .example("[\"*.dead\"]");
  s.field(
      "find_dead_letters", KeyType::boolean, [](R& o) -> auto& { return o.find_dead_letters; },
      "Whether queues that receive the dead letters of others, by arguments or policies, count as queues of "
      "dead letters. Only with `url`.");
  add_target_keys(s);
  add_access_keys(s);
  return s.done();
}

}  // namespace sidelight
