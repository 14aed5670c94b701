#include "collectors/http_json/json_pointer.h"
#include "collectors/http_json/metric_names.h"
#include "collectors/http_json/options.h"
#include "config/names.h"
#include "config/schema_collectors.h"

namespace sidelight {
namespace {

std::string check_url_with_query(const std::string& url) {
  return check_url(url.substr(0, url.find('?')));
}

std::shared_ptr<const ObjectSchema> json_metric_schema() {
  using M = JsonMetric;
  SchemaBuilder<M> s("What becomes a metric.");
  s.field(
       "name", KeyType::text, [](M& m) -> auto& { return m.name; },
       "Its name. Several entries may share one, with other labels.")
      .required()
      .check(check_json_metric_name)
      .example("mes_workers_busy");
  s.field(
       "pointer", KeyType::text, [](M& m) -> auto& { return m.pointer; },
       "Where its value is in the answer: a JSON pointer (RFC 6901), in which `*` stands for each member of "
       "an "
       "object or element of an array. The value is a number, a string that holds one, or a boolean.")
      .required()
      .check(check_json_pointer)
      .example("/workers/busy");
  s.choice(
      "type", [](M& m) -> auto& { return m.type; },
      std::vector<std::pair<std::string, MetricKind>>{{"gauge", MetricKind::gauge},
                                                      {"counter", MetricKind::counter}},
      "`counter`: a number that only grows, or begins again at zero; its name ends in `_total`.");
  s.field(
       "help", KeyType::text, [](M& m) -> auto& { return m.help; }, "One line on what it says.")
      .required()
      .example("Workers that calculate now.");
  s.field(
       "labels", KeyType::text_map, [](M& m) -> auto& { return m.labels; }, "Labels with constant values.")
      .example("{site: north}");
  s.field(
       "labels_from", KeyType::text_map, [](M& m) -> auto& { return m.labels_from; },
       "Labels with values from the answer: `key` is the name or index that the last `*` stands for (`key1` "
       "the "
       "first one's), a pointer leads from there to the value.")
      .example("{status: key}");
  s.field(
       "max_series", KeyType::integer, [](M& m) -> auto& { return m.max_series; },
       "Most series of it; counters beyond are summed under `overflow`, gauges left out.")
      .between(1, 10'000);
  return s.done();
}

}  // namespace

std::shared_ptr<const ObjectSchema> http_json_schema() {
  using H = HttpJsonOptions;
  SchemaBuilder<H> s("A service that tells its state as JSON: metrics by configuration.");
  s.field(
       "url", KeyType::text, [](H& o) -> auto& { return o.url; },
       "URL that answers GET with JSON, at most 1 MiB.")
      .required()
      .check(check_url_with_query)
      .example("http://127.0.0.1:8000/stats");
  s.objects("metrics", [](H& o) -> auto& { return o.metrics; }, json_metric_schema()).required().at_least(1);
  s.field(
       "headers", KeyType::text_map, [](H& o) -> auto& { return o.access.headers; },
       "Further headers of the request. Secrets do not belong here.")
      .example("{X-Scope: plant-1}");
  add_target_keys(s);
  add_access_keys(s);
  return s.done();
}

}  // namespace sidelight
