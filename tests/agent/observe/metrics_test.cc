#include "agent/observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "agent/observe/input_labels.h"
#include "tests/agent/observe/fakes.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

// Tests run in the source tree.
constexpr const char* kGolden = "tests/agent/observe/metrics.golden.txt";

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// With SIDELIGHT_UPDATE_GOLDEN set it writes the file instead of comparing.
void expect_equals_file(const std::string& actual, const char* path) {
  if (std::getenv("SIDELIGHT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << actual;
  EXPECT_EQ(actual, read(path)) << path
                                << " is out of date: look at the difference, then run observe_test with "
                                << "SIDELIGHT_UPDATE_GOLDEN=1 from the top of the tree";
}

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() {
    files.files["/proc/self/stat"] =
        "42 (odd ) name) S 1 42 42 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 4 0 123 104857600 2560 "
        "18446744073709551615";
    files.files["/proc/self/limits"] =
        "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max open files            1024                 524288               files\n";
    files.directories["/proc/self/fd"] = 17;
  }
  // The value of a series as it is written, "" if there is none.
  std::string value(const std::string& series) {
    std::istringstream page(metrics.serialize());
    for (std::string line; std::getline(page, line);)
      if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
    return "";
  }

  test::FakeClock clock;
  test::FixedFiles files;
  Metrics metrics{clock, files, "1.2.3"};
};

TEST_F(MetricsTest, PageAfterEveryProbeCallIsTheGoldenFile) {
  metrics.set_inputs({"shop", "mes"});
  metrics.pipeline().read(0, 4096);
  metrics.pipeline().events(0, 40, 38);
  metrics.pipeline().truncated(0, 1, 100);
  metrics.pipeline().dropped(1, 3, DropReason::rule);
  metrics.pipeline().parse_errors(1, 2);
  metrics.pipeline().lag(0, 2048, 1.5);
  metrics.pipeline().in_flight(65536, 33554432);
  metrics.pipeline().input_paused(1, true, PauseReason::dead_letters);
  metrics.pipeline().reload(true);
  metrics.tail().files_open(3);
  metrics.tail().files_tracked(4);
  metrics.tail().input_files(0, 3);
  metrics.tail().input_files(1, 1);
  metrics.tail().watch_mode(true);
  metrics.tail().unreadable_files(1);
  metrics.tail().ignored_files(2);
  metrics.tail().lost_bytes(0, 77, LossReason::deleted);
  metrics.tail().rotation(RotationKind::copytruncate);
  metrics.tail().read_error();
  metrics.tail().deleted_bytes_held(512);
  metrics.tail().descriptor_limit_hit();
  metrics.send().shipped(36, 9000);
  metrics.send().duplicates(2);
  metrics.send().id_conflicts(1);
  metrics.send().retried(5, "rejected");
  metrics.send().dead_lettered(1, "mapping");
  metrics.send().dead_letters_dropped(1);
  metrics.send().request(0.02, 1500, 200);
  metrics.send().batch_acknowledged(0.7);
  metrics.send().output_up(false, "connect");
  metrics.send().in_flight(2, 7000);
  metrics.send().concurrency_limit(4);
  metrics.checkpoint().committed(clock.wall(), 900, 4);
  metrics.checkpoint().write_error();
  metrics.checkpoint().damaged();
  metrics.http().answered(200);
  metrics.http().connections(1);
  metrics.http().connection_evicted();
  clock.step(milliseconds(2500));
  expect_equals_file(metrics.serialize(), kGolden);
}

TEST_F(MetricsTest, EveryFamilyShownIsDeclaredAndInItsBound) {
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back("input-" + std::to_string(i));
  metrics.set_inputs(names);
  for (std::uint32_t i = 0; i < 300; ++i) metrics.pipeline().lag(i, 1, 1);
  for (int i = 0; i < 100; ++i) metrics.send().output_up(false, "cause-" + std::to_string(i));

  std::map<std::string, std::size_t> bounds;
  const std::regex row(R"(\| `(\w+)` \|[^|]*\|[^|]*\|[^|]*\| (\d+) \|.*)");
  std::istringstream reference(metrics_reference(metrics.declared()));
  for (std::string line; std::getline(reference, line);)
    if (std::smatch m; std::regex_match(line, m, row)) bounds[m[1]] = std::stoul(m[2]);

  std::map<std::string, std::set<std::string>> series;
  std::istringstream page(metrics.serialize());
  const std::regex sample(R"((\w+?)(_bucket|_sum|_count)?(\{[^}]*\})? .*)");
  for (std::string line; std::getline(page, line);) {
    std::smatch m;
    if (line.starts_with('#') || !std::regex_match(line, m, sample)) continue;
    const bool histogram = bounds.contains(m[1]) && m[2].length() > 0;
    series[histogram ? m[1].str() : m[1].str() + m[2].str()].insert(histogram ? "" : m[3].str());
  }
  EXPECT_GT(series.size(), 50U);
  for (const auto& [name, labels] : series) {
    ASSERT_TRUE(bounds.contains(name)) << name;
    EXPECT_LE(labels.size(), bounds[name]) << name;
  }
}

TEST_F(MetricsTest, CountersWithKnownLabelsStartAtZero) {
  metrics.set_inputs({"shop"});
  EXPECT_EQ(value("sidelight_shipped_events_total"), "0");
  EXPECT_EQ(value("sidelight_retried_events_total{reason=\"timeout\"}"), "0");
  EXPECT_EQ(value("sidelight_read_lines_total{input=\"shop\"}"), "0");
  EXPECT_EQ(value("sidelight_lost_bytes_total{input=\"shop\",reason=\"truncated\"}"), "0");
  EXPECT_EQ(value("sidelight_config_reloads_total{result=\"failure\"}"), "0");
}

TEST_F(MetricsTest, LagIsAbsentUntilItIsKnown) {
  metrics.set_inputs({"shop"});
  EXPECT_EQ(value("sidelight_input_lag_bytes{input=\"shop\"}"), "");
  metrics.pipeline().lag(0, 0, 0);
  EXPECT_EQ(value("sidelight_input_lag_bytes{input=\"shop\"}"), "0");
}

TEST_F(MetricsTest, InputsBeyondTheCapShareTheOverflow) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kMaxInputLabels + 2; ++i) names.push_back("i" + std::to_string(i));
  metrics.set_inputs(names);
  metrics.pipeline().read(199, 1);
  metrics.pipeline().read(200, 10);
  metrics.pipeline().read(201, 100);
  metrics.pipeline().lag(200, 5, 5);
  EXPECT_EQ(value("sidelight_read_bytes_total{input=\"i199\"}"), "1");
  EXPECT_EQ(value("sidelight_read_bytes_total{input=\"overflow\"}"), "110");
  EXPECT_EQ(value("sidelight_input_lag_bytes{input=\"overflow\"}"), "");
  EXPECT_EQ(value("sidelight_inputs_over_cap"), "2");
}

TEST_F(MetricsTest, ReloadKeepsCountersAndDropsGaugesOfInputsThatAreGone) {
  metrics.set_inputs({"a", "b"});
  metrics.pipeline().read(0, 5);
  metrics.pipeline().read(1, 7);
  metrics.pipeline().lag(0, 11, 1);
  metrics.pipeline().lag(1, 13, 1);
  metrics.set_inputs({"b", "c"});
  EXPECT_EQ(value("sidelight_read_bytes_total{input=\"a\"}"), "5");
  EXPECT_EQ(value("sidelight_input_lag_bytes{input=\"a\"}"), "");
  EXPECT_EQ(value("sidelight_input_lag_bytes{input=\"b\"}"), "13");
  metrics.pipeline().read(0, 1);
  EXPECT_EQ(value("sidelight_read_bytes_total{input=\"b\"}"), "8");
}

TEST_F(MetricsTest, AReloadEndsEveryPause) {
  metrics.set_inputs({"shop", "mes"});
  metrics.pipeline().input_paused(1, true, PauseReason::dead_letters);
  const std::string paused = R"(sidelight_input_paused{input="mes",reason="dead_letters"} )";
  EXPECT_NE(metrics.serialize().find(paused + "1"), std::string::npos);
  metrics.set_inputs({"shop", "mes"});
  EXPECT_NE(metrics.serialize().find(paused + "0"), std::string::npos);
}

TEST_F(MetricsTest, LossOfAnInputThatAReloadTookAwayIsStillCounted) {
  metrics.set_inputs({"a"});
  metrics.tail().lost_bytes(9, 50, LossReason::overflow);
  EXPECT_EQ(value("sidelight_lost_bytes_total{input=\"overflow\",reason=\"overflow\"}"), "50");
}

TEST_F(MetricsTest, UnknownReasonsCountAsOther) {
  metrics.send().retried(2, "moon phase");
  metrics.send().dead_lettered(3, "moon phase");
  metrics.send().request(1, 1, 777);
  metrics.send().request(1, 1, 0);
  EXPECT_EQ(value("sidelight_retried_events_total{reason=\"other\"}"), "2");
  EXPECT_EQ(value("sidelight_dead_lettered_events_total{reason=\"other\"}"), "3");
  EXPECT_EQ(value("sidelight_output_requests_total{code=\"other\"}"), "1");
  EXPECT_EQ(value("sidelight_output_requests_total{code=\"none\"}"), "1");
}

TEST_F(MetricsTest, BodiesOfRequestsWithoutAnAnswerAreNotCountedAsSent) {
  metrics.send().request(1, 500, 0);
  EXPECT_EQ(value("sidelight_output_request_bytes_total"), "0");
  metrics.send().request(1, 500, 503);
  EXPECT_EQ(value("sidelight_output_request_bytes_total"), "500");
}

TEST_F(MetricsTest, OutputDownNamesItsPresentCauseOnly) {
  EXPECT_EQ(value("sidelight_output_up"), "1");
  metrics.send().output_up(false, "connect");
  metrics.send().output_up(false, "unauthorized");
  EXPECT_EQ(value("sidelight_output_up"), "0");
  EXPECT_EQ(value("sidelight_output_down_cause{cause=\"connect\"}"), "0");
  EXPECT_EQ(value("sidelight_output_down_cause{cause=\"unauthorized\"}"), "1");
  metrics.send().output_up(true, "");
  EXPECT_EQ(value("sidelight_output_up"), "1");
  EXPECT_EQ(value("sidelight_output_down_cause{cause=\"unauthorized\"}"), "0");
}

TEST_F(MetricsTest, CheckpointAgeIsComputedAtTheScrape) {
  clock.step(seconds(5));
  EXPECT_EQ(value("sidelight_checkpoint_age_seconds"), "5") << "from the start, before the first commit";
  metrics.checkpoint().committed(clock.wall(), 1, 1);
  clock.step(seconds(3));
  EXPECT_EQ(value("sidelight_checkpoint_age_seconds"), "3");
  metrics.checkpoint().unchanged(clock.wall());
  EXPECT_EQ(value("sidelight_checkpoint_age_seconds"), "0");
  clock.set_wall(clock.wall() - 1'000'000'000);
  EXPECT_EQ(value("sidelight_checkpoint_age_seconds"), "0") << "never negative";
}

TEST_F(MetricsTest, LoadingACheckpointIsNoCommit) {
  metrics.checkpoint().committed(clock.wall() - 60'000'000'000, 0, 7);
  EXPECT_EQ(value("sidelight_checkpoint_age_seconds"), "60");
  EXPECT_EQ(value("sidelight_checkpoint_files"), "7");
  EXPECT_EQ(value("sidelight_checkpoint_commits_total"), "0");
  metrics.checkpoint().committed(0, 0, 7);
  EXPECT_EQ(value("sidelight_checkpoint_age_seconds"), "60") << "a time that is not known changes nothing";
}

TEST_F(MetricsTest, FailedReloadKeepsTheTimeOfTheLastGoodOne) {
  metrics.pipeline().reload(true);
  const std::string good = value("sidelight_config_last_reload_success_timestamp_seconds");
  clock.step(seconds(60));
  metrics.pipeline().reload(false);
  EXPECT_EQ(value("sidelight_config_last_reload_successful"), "0");
  EXPECT_EQ(value("sidelight_config_last_reload_success_timestamp_seconds"), good);
  EXPECT_NE(good, "0");
}

TEST_F(MetricsTest, ProcessSeriesKeepTheirValuesWhenProcCannotBeRead) {
  EXPECT_EQ(value("process_open_fds"), "17");
  files.files.clear();
  files.directories.clear();
  EXPECT_EQ(value("process_open_fds"), "17");
  EXPECT_EQ(value("process_cpu_seconds_total"), "2");
}

TEST_F(MetricsTest, NamesThatAreNoUtf8OrHoldQuotesStayValid) {
  metrics.set_inputs({"a\"b\\c\nd", "\xff\xfe"});
  const std::string page = metrics.serialize();
  EXPECT_THAT(page, HasSubstr(R"(input="a\"b\\c\nd")"));
  EXPECT_THAT(page, HasSubstr("input=\"\xEF\xBF\xBD\xEF\xBF\xBD\""));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
}

TEST_F(MetricsTest, ProbesScrapesAndReloadsMayOverlap) {
  metrics.set_inputs({"a", "b"});
  std::thread counting([&] {
    for (int i = 0; i < 2000; ++i) {
      metrics.pipeline().read(static_cast<std::uint32_t>(i % 2), 1);
      metrics.pipeline().lag(1, 1, 1);
      metrics.send().output_up(i % 2 == 0, "connect");
    }
  });
  for (int i = 0; i < 50; ++i) {
    metrics.serialize();
    metrics.set_inputs(i % 2 == 0 ? std::vector<std::string>{"a"} : std::vector<std::string>{"a", "b"});
  }
  counting.join();
  metrics.set_inputs({"a", "b"});
  double sum = 0;
  for (const char* input : {"a", "b", "overflow"}) {
    const std::string v = value(std::string("sidelight_read_bytes_total{input=\"") + input + "\"}");
    sum += v.empty() ? 0 : std::stod(v);
  }
  EXPECT_EQ(sum, 2000);
}

}  // namespace
}  // namespace sidelight
