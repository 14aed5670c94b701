#include "collectors/objectives.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "agent/base/number.h"

namespace sidelight {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

struct Objective {
  const char* name;
  const char* metric;
  const char* unit;
  const char* help;
  double below = kUnbounded;  // what a rule can still see crossed; all are above 0
  const char* why = "";
};

constexpr const char* kLargestBucket =
    "it is the largest bucket of that histogram, and what is beyond cannot be told apart";
constexpr const char* kWhole = "it is a share of the whole";

constexpr Objective kObjectives[] = {
    {"gateway_availability_ratio", "gateway_availability_ratio_objective", "ratio",
     "Share of the gateway's requests that must not fail (5xx).", 1, "some must be allowed to fail"},
    {"gateway_request_duration_seconds", "gateway_request_duration_seconds_objective", "seconds",
     "99 of 100 of the gateway's requests must be answered within this time.", 10, kLargestBucket},
    {"log_lag_seconds", "log_lag_seconds_objective", "seconds",
     "Logs must reach their destination within this time."},
    {"log_store_disk_used_ratio", "log_store_disk_used_ratio_objective", "ratio",
     "Disks of the log store must not be fuller.", 1, kWhole},
    {"mes_cache_hit_ratio", "mes_cache_hit_ratio_objective", "ratio",
     "The price cache must answer at least this share of look-ups.", 1, kWhole},
    {"mes_db_replication_lag_seconds", "mes_db_replication_lag_seconds_objective", "seconds",
     "Replicas must not be further behind."},
    {"mes_db_size_bytes", "mes_db_size_bytes_objective", "bytes",
     "Size that the MES database must not reach."},
    {"mes_db_status_index_selectivity_ratio", "mes_db_status_index_selectivity_ratio_objective", "ratio",
     "Hot statuses must select no greater share of the table.", 1, kWhole},
    {"mes_price_calculation_duration_seconds", "mes_price_calculation_duration_seconds_objective", "seconds",
     "95 of 100 price calculations must be done within this time.", 300, kLargestBucket},
    {"mes_queue_drain_seconds", "mes_queue_drain_seconds_objective", "seconds",
     "MES queues must be able to drain within this time."},
    {"mes_queue_head_age_seconds", "mes_queue_head_age_seconds_objective", "seconds",
     "No message may wait longer at the head of a MES queue."},
};

}  // namespace

std::vector<std::string> known_objectives() {
  std::vector<std::string> names;
  for (const Objective& o : kObjectives) names.emplace_back(o.name);
  return names;
}

std::string known_objectives_text() {
  std::string out;
  for (const Objective& o : kObjectives) out += (out.empty() ? "`" : ", `") + std::string(o.name) + "`";
  return out;
}

std::string check_objective(const std::string& name, const std::string& text) {
  const auto value = parse_number(text);
  if (!value) return "expected a number in the metric's unit";
  if (!(*value > 0)) return "must be above 0";
  for (const Objective& o : kObjectives)
    if (name == o.name && !(*value < o.below))
      return "must be below " + std::to_string(static_cast<int>(o.below)) + ": " + o.why;
  return {};
}

std::vector<DeclaredMetric> objective_metrics() {
  std::vector<DeclaredMetric> out;
  for (const Objective& o : kObjectives)
    out.push_back({{.name = o.metric, .role = MetricRole::every_instance, .unit = o.unit, .help = o.help},
                   MetricKind::gauge});
  return out;
}

Objectives::Objectives(const std::vector<std::pair<std::string, std::string>>& objectives) {
  for (const Objective& o : kObjectives) {
    for (const auto& [name, text] : objectives) {
      const auto value = parse_number(text);
      if (name != o.name || !value) continue;
      const std::string metric = o.metric;
      rendered_.push_back(std::make_shared<RenderedFamily>(
          RenderedFamily{metric, "# HELP " + metric + " " + o.help + "\n# TYPE " + metric + " gauge\n",
                         metric + " " + text + "\n"}));
    }
  }
}

void Objectives::families(std::vector<std::shared_ptr<const RenderedFamily>>& out) {
  out.insert(out.end(), rendered_.begin(), rendered_.end());
}

}  // namespace sidelight
