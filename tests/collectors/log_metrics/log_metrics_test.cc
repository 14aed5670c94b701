#include "collectors/log_metrics/log_metrics.h"

#include <gmock/gmock.h>

#include "tests/fakes/fake_clock.h"

namespace sidelight {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogMetricsTest : public testing::Test {
 protected:
  std::unique_ptr<LogMetrics> make(std::vector<LogMetricRule> rules, const std::vector<std::string>& inputs) {
    LogMetricsOptions options;
    options.rules = std::move(rules);
    options.max_series = 2;
    return std::move(*LogMetrics::make(options, inputs, clock));
  }
  static void count(LogMetrics& metrics, std::uint32_t input, std::string_view user) {
    Record record;
    record.labels.push_back({"user", user, ValueKind::text});
    metrics.count(input, record, {});
  }
  static std::string page(LogMetrics& metrics) {
    std::vector<std::shared_ptr<const RenderedFamily>> families;
    metrics.families(families);
    std::string text;
    for (const auto& f : families) text += f->lines;
    return text;
  }
  FakeClock clock;
  const LogMetricRule kept{.name = "kept_total", .labels = {{"user", "user"}}};
};

TEST_F(LogMetricsTest, GoOnOverAReloadWithRulesThatAreTheSame) {
  LogMetricRule changed{.name = "changed_total"};
  const auto before = make({changed, kept}, {"a"});
  for (const char* user : {"ann", "bob", "cyd", "ann"}) count(*before, 0, user);
  changed.labels = {{"user", "user"}};
  const auto after = make({{.name = "new_total"}, kept, changed}, {"b", "a"});
  after->adopt(*before);
  EXPECT_THAT(page(*after), HasSubstr("sidelight_log_metrics_events_total{input=\"a\"} 4\n"));
  count(*after, 1, "ann");
  const std::string text = page(*after);
  EXPECT_THAT(text, HasSubstr("kept_total{user=\"ann\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("kept_total{user=\"bob\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("kept_total{user=\"overflow\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("new_total 1\n"));
  EXPECT_THAT(text, HasSubstr("changed_total{user=\"ann\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("changed_total{user=\"bob\"}")));
  EXPECT_THAT(text, HasSubstr("sidelight_log_metrics_events_total{input=\"a\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("sidelight_log_metrics_events_total{input=\"b\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("sidelight_log_metrics_series_dropped_total 1\n"));
}

}  // namespace
}  // namespace sidelight
