#include "config/checks_processors.h"

#include <set>

#include "agent/process/condition.h"
#include "agent/process/processor.h"

namespace sidelight {
namespace {

constexpr std::size_t kMostOutputs = 16;

void check_processor(const ProcessorOptions& p, const std::string& path, Findings& findings) {
  check_condition(p.when, path + ".when", findings);
  // What is given and no good has been told already.
  const auto given = [&](const char* key) { return findings.given(path + key); };
  if (p.drop && p.when.empty())
    findings.error_at(path + ".drop", "would drop every event; say which by `when`");
  if (p.parse && p.parse->format == FieldFormat::regex && !given(".parse.pattern"))
    findings.error_at(path + ".parse.format", "format: regex needs a pattern");
  if (p.parse && p.parse->format != FieldFormat::regex && !p.parse->pattern.empty())
    findings.error_at(path + ".parse.pattern", "is of use only with format: regex");
  if (p.parse && p.parse->format == FieldFormat::regex && !p.parse->pattern.empty()) {
    if (auto made = make_parse_field(*p.parse); !made)
      findings.error_at(path + ".parse.pattern", made.error().message);
  }
  if (p.sample) {
    if (auto made = make_sample(*p.sample); !made)
      findings.error_at(path + ".sample.levels", made.error().message);
  }
  if (p.redact && p.redact->action == RedactAction::hash && !given(".redact.key") &&
      !given(".redact.key_file"))
    findings.error_at(path + ".redact.action", "hash needs a key; give key_file");
  if (p.redact) {
    if (auto problem = redaction_problem(*p.redact); !problem.empty())
      findings.error_at(path + ".redact.patterns", problem);
  }
}

void complete_list(const Environment& environment, std::vector<ProcessorOptions>& list,
                   const std::string& path, Findings& findings) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string item = path + "[" + std::to_string(i) + "]";
    const std::string here = findings.given(item) ? item : path;  // a list of one may stand without its dash
    check_processor(list[i], here, findings);
    if (!list[i].metadata) continue;
    for (const auto& [field, variable] : list[i].metadata->environment) {
      if (auto value = environment(variable); value && !value->empty())
        list[i].metadata->values.emplace_back(field, *std::move(value));
    }
  }
}

}  // namespace

void check_condition(const ConditionOptions& condition, const std::string& path, Findings& findings) {
  if (auto made = Condition::make(condition); !made) findings.error_at(path, made.error().message);
}

void check_routes(const Settings& settings, Findings& findings) {
  std::set<std::string> names;
  if (settings.outputs.size() > kMostOutputs)
    findings.error_at("outputs", "at most " + std::to_string(kMostOutputs) + " outputs are possible");
  for (std::size_t i = 0; i < settings.outputs.size(); ++i) {
    const std::string item = "outputs[" + std::to_string(i) + "]";
    const std::string& name = settings.outputs[i].name;
    const std::string here = findings.given(item) ? item : "outputs";
    if (name.empty()) {
      findings.error_at(here, "one of several outputs needs a name; for example \"name: main\"");
    } else if (!names.insert(name).second) {
      findings.error_at(here + ".name", "another output has this name; names are unique");
    }
  }
  const auto check_name = [&](const std::string& name, const std::string& path) {
    if (names.contains(name)) return;
    std::string known;
    for (const std::string& n : names) known += (known.empty() ? "" : ", ") + n;
    findings.error_at(
        path, known.empty() ? "is of use only with outputs" : "no output has this name; there are " + known);
  };
  const auto check_list = [&](const std::vector<RouteOptions>& routes, const std::string& path) {
    for (std::size_t i = 0; i < routes.size(); ++i) {
      const std::string item = path + "[" + std::to_string(i) + "]";
      const std::string here = findings.given(item) ? item : path;
      check_condition(routes[i].when, here + ".when", findings);
      if (!routes[i].output.empty()) check_name(routes[i].output, here + ".output");
    }
  };
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    const std::string item = "logs[" + std::to_string(i) + "]";
    const std::string here = findings.given(item) ? item : "logs";
    check_list(settings.logs[i].routes, here + ".routes");
    if (!settings.logs[i].output.empty()) check_name(settings.logs[i].output, here + ".output");
  }
  check_list(settings.routes, "routes");
}

void complete_processors(const Environment& environment, Settings& settings, Findings& findings) {
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    const std::string item = "logs[" + std::to_string(i) + "]";
    complete_list(environment, settings.logs[i].processors,
                  (findings.given(item) ? item : "logs") + ".processors", findings);
  }
  complete_list(environment, settings.processors, "processors", findings);
}

}  // namespace sidelight
