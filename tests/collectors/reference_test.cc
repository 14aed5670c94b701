#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "agent/observe/metrics.h"
#include "collectors/catalog.h"
#include "collectors/http_json/metric_names.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

// Tests run in the source tree.
constexpr const char* kReference = "docs/metrics.md";

std::vector<DeclaredMetric> all_metrics() {
  const FakeClock clock;
  MemoryFileSystem files;
  std::vector<DeclaredMetric> all = Metrics(clock, files, "0").declared();
  const std::vector<DeclaredMetric> more = collector_metrics();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(MetricsReference, PageIsGeneratedFromTheDeclarations) {
  const std::string page = metrics_reference(all_metrics());
  if (std::getenv("SIDELIGHT_UPDATE_GOLDEN") != nullptr) std::ofstream(kReference) << page;
  std::ifstream in(kReference);
  std::ostringstream committed;
  committed << in.rdbuf();
  EXPECT_TRUE(page == committed.str())
      << kReference << " is out of date: run `sidelight schema --metrics > docs/metrics.md`";
}

TEST(MetricsReference, NamesAreDeclaredOnce) {
  std::set<std::string_view> names;
  for (const DeclaredMetric& metric : all_metrics())
    EXPECT_TRUE(names.insert(metric.info.name).second) << metric.info.name;
}

TEST(MetricsReference, NamesAreRefusedToMetricsByConfiguration) {
  for (const DeclaredMetric& metric : all_metrics())
    EXPECT_NE(check_json_metric_name(std::string(metric.info.name)), "") << metric.info.name;
}

TEST(MetricsReference, TargetSeriesCarryNoLabelOfTheScrape) {
  for (const DeclaredMetric& metric : all_metrics()) {
    if (metric.info.role != MetricRole::beside_a_target) continue;
    for (const char* label : {"instance", "job", "pod", "namespace", "service"}) {
      std::string labels = "; " + std::string(metric.info.labels) + ";";
      for (char& c : labels)
        if (c == ':') c = ';';
      EXPECT_EQ(labels.find("; " + std::string(label) + ";"), std::string::npos) << metric.info.name;
    }
  }
}

TEST(MetricsReference, EveryMetricHasHelpAndABound) {
  for (const DeclaredMetric& metric : all_metrics()) {
    EXPECT_GT(metric.info.help.size(), 5U) << metric.info.name;
    EXPECT_GT(metric.info.max_series, 0U) << metric.info.name;
    EXPECT_LE(metric.info.max_series, 20'000U) << metric.info.name;
  }
}

}  // namespace
}  // namespace sidelight
