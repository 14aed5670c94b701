// Any list of processors, from a number.
#pragma once

#include <string>
#include <vector>

#include "agent/process/options.h"
#include "tests/agent/process/pii_samples.h"

namespace sidelight::test {

inline std::string any_field(Random& random) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"message", "level", "service", "@timestamp", "a", "b", "a.b", "labels.a", "user.name", "url.port",
       "source.ip", "trace.id", "http.request.method", "event.duration", "payload", "..", "\xFF", "x\ny"});
  return std::string(kNames[pick(random, kNames.size())]);
}

inline SimpleCondition any_simple_condition(Random& random) {
  SimpleCondition c;
  if (pick(random, 3) == 0) c.services = {pick(random, 2) == 0 ? "*" : "shop"};
  if (pick(random, 3) == 0) c.levels = {pick(random, 2) == 0 ? "none" : "info"};
  if (pick(random, 2) == 0) {
    FieldTest t;
    t.name = any_field(random);
    if (pick(random, 2) == 0) t.glob = "*a*";
    if (pick(random, 2) == 0) t.regex = "[a-z]";
    c.fields.push_back(t);
  }
  return c;
}

inline ConditionOptions any_condition(Random& random) {
  ConditionOptions c;
  if (pick(random, 2) == 0) return c;
  c.must = any_simple_condition(random);
  if (pick(random, 3) == 0) c.any = {any_simple_condition(random), any_simple_condition(random)};
  if (pick(random, 3) == 0) c.none = {any_simple_condition(random)};
  return c;
}

inline RedactOptions any_redaction(Random& random) {
  RedactOptions o;
  static constexpr auto kKinds =
      std::to_array<std::string_view>({"email", "phone", "card", "iban", "bearer", "jwt"});
  while (pick(random, 2) == 0) o.kinds.emplace_back(kKinds[pick(random, kKinds.size())]);
  if (pick(random, 4) == 0) o.patterns = {"[0-9]{3}", "\\\\u", "^a"};
  if (pick(random, 4) == 0) o.fields = {any_field(random), "*"};
  o.action = static_cast<RedactAction>(pick(random, 3));
  o.key = "k";
  return o;
}

inline ProcessorOptions any_processor(Random& random) {
  ProcessorOptions p;
  p.when = any_condition(random);
  switch (pick(random, 11)) {
    case 0:
      p.add = {{{any_field(random), "v\xC3"}, {any_field(random), "10"}}, pick(random, 2) == 0};
      break;
    case 1:
      p.remove = {{any_field(random), "u*"}};
      break;
    case 2:
      p.rename = {any_field(random), any_field(random)};
      break;
    case 3:
      p.copy = {any_field(random), any_field(random)};
      break;
    case 4:
    case 5: {
      ParseFieldOptions o;
      o.field = any_field(random);
      o.format = static_cast<FieldFormat>(pick(random, 4));
      if (o.format == FieldFormat::regex) o.pattern = "(?P<a>.)(?P<time>\\S*)(?P<message>.*)";
      if (pick(random, 2) == 0) o.pair_separator = ";";
      if (pick(random, 3) == 0) o.prefix = "p.";
      o.remove = pick(random, 2) == 0;
      p.parse = o;
      break;
    }
    case 6:
      p.truncate = {any_field(random), 1 + pick(random, 40)};
      break;
    case 7:
      p.rate_limit = RateLimitOptions{static_cast<std::int64_t>(1 + pick(random, 3)),
                                      std::chrono::milliseconds(1000),
                                      {any_field(random)}};
      break;
    case 8:
      p.dedupe.emplace();
      break;
    case 9:
      p.sample = SampleOptions{0.5, {}};
      break;
    default:
      p.redact = any_redaction(random);
      break;
  }
  return p;
}

inline std::vector<ProcessorOptions> any_processors(Random& random) {
  std::vector<ProcessorOptions> out;
  for (std::size_t n = 1 + pick(random, 6); n > 0; --n) out.push_back(any_processor(random));
  return out;
}

}  // namespace sidelight::test
