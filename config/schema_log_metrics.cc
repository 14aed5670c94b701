#include "collectors/log_metrics/options.h"
#include "config/schema_collectors.h"

namespace sidelight {
namespace {

std::shared_ptr<const ObjectSchema> rule_schema() {
  using Rule = LogMetricRule;
  SchemaBuilder<Rule> s(
      "Rules of your own. A field is `level`, `message`, `service`, a name of the Elastic Common Schema or a "
      "key of the "
      "application's own; of several with commas the first that the event has counts; `|class` makes 2xx of "
      "204, `|lower` lower "
      "case.");
  s.field(
       "name", KeyType::text, [](Rule& r) -> auto& { return r.name; },
       "Name of the metric; that of a counter ends in `_total`.")
      .required()
      .example("shop_orders_total");
  s.field(
       "help", KeyType::text, [](Rule& r) -> auto& { return r.help; }, "What it says, in one line.")
      .example("Orders placed.");
  s.choice(
      "type", [](Rule& r) -> auto& { return r.type; },
      std::vector<std::pair<std::string, LogMetricType>>{{"counter", LogMetricType::counter},
                                                         {"gauge", LogMetricType::gauge},
                                                         {"histogram", LogMetricType::histogram}},
      "A counter counts events, or adds `value`; a gauge takes the last `value`; a histogram observes it.");
  s.field(
       "inputs", KeyType::texts, [](Rule& r) -> auto& { return r.inputs; },
       "Names of the log inputs that it reads.")
      .default_note("all")
      .example("[shop]");
  s.field(
       "when", KeyType::text_map, [](Rule& r) -> auto& { return r.when; },
       "Field and pattern; all must match. A pattern is a text, a glob, `/.../` for a regular expression, "
       "`*` for any value, `?` for "
       "a field that is there, `!` for no value, `!?` for a field that is not there.")
      .example("{event: order_placed, level: '!'}");
  s.field(
       "value", KeyType::text, [](Rule& r) -> auto& { return r.value; },
       "Field that holds the number; events without one are left out.")
      .example("duration_s");
  s.field(
       "labels", KeyType::text_map, [](Rule& r) -> auto& { return r.labels; },
       "Label and the field that gives its value.")
      .example("{country: country}");
  s.field(
       "buckets", KeyType::texts, [](Rule& r) -> auto& { return r.buckets; },
       "Upper bounds of a histogram, ascending.")
      .default_note("from 0.005 to 10")
      .example("['0.1', '1', '10']");
  s.field(
      "split", KeyType::boolean, [](Rule& r) -> auto& { return r.split; },
      "Fields hold lists such as `502, 200`; each place in them is counted as an event.");
  return s.done();
}

}  // namespace

std::shared_ptr<const ObjectSchema> log_metrics_schema() {
  using Options = LogMetricsOptions;
  SchemaBuilder<Options> s(
      "Metrics derived from the logs, read with a cursor of their own: they go on while the destination is "
      "away. Processors "
      "apply, redaction included, but for those that drop: what they drop counts.");
  s.field(
       "presets", KeyType::texts, [](Options& o) -> auto& { return o.presets; },
       "Ready-made rules: `app` (requests and levels by service), `mes` (price calculations, price cache), "
       "`gateway` (nginx: routes, "
       "partners, upstreams, limiter, cache).")
      .check([](const std::string& name) {
        return name == "app" || name == "mes" || name == "gateway" ? std::string()
                                                                   : "is none of app, mes, gateway";
      })
      .example("[app, mes]");
  s.objects("rules", [](Options& o) -> auto& { return o.rules; }, rule_schema());
  s.field(
       "max_series", KeyType::integer, [](Options& o) -> auto& { return o.max_series; },
       "Label sets of one metric; further ones are counted under `overflow`, gauges of further ones left "
       "out.")
      .between(1, 20'000);
  s.field(
       "late_after", KeyType::duration, [](Options& o) -> auto& { return o.late_after; },
       "Events that are older when they are read count only as late.")
      .between(1000, 86'400'000);
  return s.done();
}

}  // namespace sidelight
