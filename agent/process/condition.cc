#include "agent/process/condition.h"

#include <re2/re2.h>

#include <algorithm>

#include "agent/parse/level.h"
#include "agent/process/event_field.h"
#include "agent/process/wildcard.h"

namespace sidelight {
namespace {

constexpr std::string_view kNoLevel = "none";

struct Test {
  EventField field;
  std::string equals;
  std::string glob;
  std::unique_ptr<re2::RE2> regex;

  bool holds(const Record& record, const EventContext& context) const {
    const auto text = field.text(record, context);
    if (!text) return false;
    if (!equals.empty() && *text != equals) return false;
    if (!glob.empty() && !matches_wildcard(glob, *text)) return false;
    return !regex || re2::RE2::PartialMatch(re2::StringPiece(text->data(), text->size()), *regex);
  }
};

// What the line says, under the schema's name or its own, before what the configuration says.
std::string_view service_of(const Record& record, const EventContext& context) {
  static const EventField kName("service.name");
  static const EventField kLabel("labels.service");
  const EventContext line_only{context.arena, context.time_ns, context.now_ns,
                               context.zone,  context.key,     nullptr};
  if (const auto name = kName.text(record, line_only)) return *name;
  if (const auto name = kLabel.text(record, line_only)) return *name;
  return kName.text(record, context).value_or(std::string_view{});
}

struct Simple {
  std::vector<std::string> services;
  std::vector<std::string_view> levels;  // static; empty text: an event without a level
  std::vector<Test> tests;

  bool holds(const Record& record, const EventContext& context) const {
    if (!levels.empty() && std::find(levels.begin(), levels.end(), record.level) == levels.end())
      return false;
    if (!services.empty()) {
      const std::string_view service = service_of(record, context);
      const auto fits = [&](const std::string& s) { return matches_wildcard(s, service); };
      if (std::none_of(services.begin(), services.end(), fits)) return false;
    }
    return std::all_of(tests.begin(), tests.end(), [&](const Test& t) { return t.holds(record, context); });
  }
};

Expected<Simple> compile(const SimpleCondition& from) {
  Simple out;
  out.services = from.services;
  for (const std::string& level : from.levels) {
    const std::string_view known = level == kNoLevel ? std::string_view{} : normalise_level(level);
    if (known.empty() && level != kNoLevel) return fail("when: '" + level + "' is no level");
    out.levels.push_back(known);
  }
  for (const FieldTest& f : from.fields) {
    Test test{EventField(f.name), f.equals, f.glob, nullptr};
    if (!f.regex.empty()) {
      re2::RE2::Options o;
      o.set_log_errors(false);
      o.set_encoding(re2::RE2::Options::EncodingLatin1);
      test.regex = std::make_unique<re2::RE2>(f.regex, o);
      if (!test.regex->ok())
        return fail("when: '" + f.regex + "' is no regular expression (RE2): " + test.regex->error());
    }
    out.tests.push_back(std::move(test));
  }
  return out;
}

}  // namespace

struct Condition::Tests {
  Simple must;
  std::vector<Simple> any;
  std::vector<Simple> none;
};

Condition::Condition() = default;
Condition::~Condition() = default;
Condition::Condition(Condition&&) noexcept = default;
Condition& Condition::operator=(Condition&&) noexcept = default;

Expected<Condition> Condition::make(const ConditionOptions& options) {
  Condition condition;
  if (options.empty()) return condition;
  auto tests = std::make_unique<Tests>();
  auto must = compile(options.must);
  if (!must) return std::unexpected(must.error());
  tests->must = std::move(*must);
  for (const auto& [from, to] :
       {std::pair{&options.any, &tests->any}, std::pair{&options.none, &tests->none}}) {
    for (const SimpleCondition& c : *from) {
      auto compiled = compile(c);
      if (!compiled) return std::unexpected(compiled.error());
      to->push_back(std::move(*compiled));
    }
  }
  condition.tests_ = std::move(tests);
  return condition;
}

bool Condition::holds(const Record& record, const EventContext& context) const {
  if (!tests_) return true;
  const auto holds = [&](const Simple& s) { return s.holds(record, context); };
  return tests_->must.holds(record, context) &&
         (tests_->any.empty() || std::any_of(tests_->any.begin(), tests_->any.end(), holds)) &&
         std::none_of(tests_->none.begin(), tests_->none.end(), holds);
}

}  // namespace sidelight
