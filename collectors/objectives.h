// Objectives: what the team promises, exported so that alert rules have one place to read it from.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/metric_info.h"
#include "agent/base/metric_page.h"

namespace sidelight {

// The names that a configuration may give, without the suffix "_objective".
std::vector<std::string> known_objectives();
// The same as one text, for the reference.
std::string known_objectives_text();
// "" when `text` is a number that the objective of that name can have, else what is expected.
std::string check_objective(const std::string& name, const std::string& text);

std::vector<DeclaredMetric> objective_metrics();

// Immutable, thread-safe.
class Objectives final : public MetricSource {
 public:
  // Names are known, values are numbers: the configuration has checked them.
  explicit Objectives(const std::vector<std::pair<std::string, std::string>>& objectives);
  void families(std::vector<std::shared_ptr<const RenderedFamily>>& out) override;

 private:
  std::vector<std::shared_ptr<const RenderedFamily>> rendered_;
};

}  // namespace sidelight
