#include "config/checks_processors.h"

#include "agent/process/condition.h"
#include "agent/process/processor.h"

namespace sidelight {
namespace {

void check_processor(const ProcessorOptions& p, const std::string& path, Findings& findings) {
  check_condition(p.when, path + ".when", findings);
  if (p.drop && p.when.empty())
    findings.error_at(path + ".drop", "would drop every event; say which by `when`");
  if (p.parse && p.parse->format == FieldFormat::regex && p.parse->pattern.empty())
    findings.error_at(path + ".parse.format", "format: regex needs a pattern");
  if (p.parse && p.parse->format != FieldFormat::regex && !p.parse->pattern.empty())
    findings.error_at(path + ".parse.pattern", "is of use only with format: regex");
  if (p.parse && p.parse->format == FieldFormat::regex && !p.parse->pattern.empty()) {
    if (auto made = make_parse_field(*p.parse); !made)
      findings.error_at(path + ".parse.pattern", made.error().message);
  }
  if (p.sample) {
    if (auto made = make_sample(*p.sample); !made) findings.error_at(path + ".sample.levels", made.error().message);
  }
  if (p.redact && p.redact->action == RedactAction::hash && p.redact->key.empty() && p.redact->key_file.empty())
    findings.error_at(path + ".redact.action", "hash needs a key; give key_file");
  if (p.redact) {
    if (auto problem = redaction_problem(*p.redact); !problem.empty())
      findings.error_at(path + ".redact.patterns", problem);
  }
}

void complete_list(const Environment& environment, std::vector<ProcessorOptions>& list, const std::string& path,
                   Findings& findings) {
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

void complete_processors(const Environment& environment, Settings& settings, Findings& findings) {
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    const std::string item = "logs[" + std::to_string(i) + "]";
    complete_list(environment, settings.logs[i].processors, (findings.given(item) ? item : "logs") + ".processors",
                  findings);
  }
  complete_list(environment, settings.processors, "processors", findings);
}

}  // namespace sidelight
