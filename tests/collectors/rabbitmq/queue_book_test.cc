#include "collectors/rabbitmq/queue_book.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace sidelight::rabbitmq {
namespace {

using std::chrono::seconds;

class QueueBookTest : public testing::Test {
 protected:
  QueueFacts& queue(const char* name, double ready = 0, double unacked = 0) {
    QueueFacts& facts = queues[{"/", name}];
    facts.name = {"/", name};
    facts.ready = ready;
    facts.unacked = unacked;
    return facts;
  }
  // One run five seconds after the one before.
  void run() {
    now += seconds(5);
    wall += 5'000'000'000;
    samples.emplace(Labels{}, cap, now);
    CollectRun collect{now, wall, Deadline(clock, now), *samples};
    book.note(now, queues, statistics);
    book.show(collect, queues, dead_letters, lags);
  }
  // Nothing when there is no such series; `method` only where it is given.
  std::optional<double> value(const std::string& metric, const std::string& queue_name,
                              const std::string& method = {}) const {
    for (const auto& family : samples->families()) {
      if (family.name != metric) continue;
      for (const auto& series : family.series) {
        if (series.labels[1].second != queue_name) continue;
        if (method.empty() || series.labels[2].second == method) return series.value;
      }
    }
    return std::nullopt;
  }

  FakeClock clock;
  QueueBook book;
  QueueMap queues;
  bool statistics = true;
  std::set<QueueName> dead_letters;
  std::map<QueueName, double> lags;
  SeriesCap cap;
  MonoTime now{};
  WallNanos wall = 1'800'000'000'000'000'000;
  std::optional<Samples> samples;
};

TEST_F(QueueBookTest, ShowsWhatTheBrokerSays) {
  QueueFacts& facts = queue("q", 3, 2);
  facts.consumers = 1;
  facts.utilisation = 0.5;
  facts.counters = QueueCounters{20, 7, 4, 1, 0};
  run();
  EXPECT_EQ(value("mes_queue_ready", "q"), 3);
  EXPECT_EQ(value("mes_queue_unacked", "q"), 2);
  EXPECT_EQ(value("mes_queue_depth", "q"), 5);
  EXPECT_EQ(value("mes_queue_consumers", "q"), 1);
  EXPECT_EQ(value("mes_queue_consumer_utilisation_ratio", "q"), 0.5);
  EXPECT_EQ(value("mes_queue_published_total", "q"), 20);
  EXPECT_EQ(value("mes_queue_delivered_total", "q"), 7);
  EXPECT_EQ(value("mes_queue_acked_total", "q"), 4);
  EXPECT_EQ(value("mes_queue_redelivered_total", "q"), 1);
}

TEST_F(QueueBookTest, WithoutConsumersThereIsNoUtilisation) {
  QueueFacts& facts = queue("q");
  facts.consumers = 0;
  facts.utilisation = 0;
  run();
  EXPECT_EQ(value("mes_queue_consumers", "q"), 0);
  EXPECT_FALSE(value("mes_queue_consumer_utilisation_ratio", "q"));
}

TEST_F(QueueBookTest, AQueueThatNeverHadAMessageCountsZero) {
  queue("q");
  run();
  EXPECT_EQ(value("mes_queue_published_total", "q"), 0);
  EXPECT_EQ(value("mes_queue_acked_total", "q"), 0);
}

TEST_F(QueueBookTest, CountersThatGoAwayAreNotZero) {
  queue("q").counters = QueueCounters{20, 7, 4, 1, 0};
  run();
  queue("q").counters.reset();  // a node does not answer for it
  run();
  EXPECT_FALSE(value("mes_queue_published_total", "q"));
  EXPECT_EQ(value("mes_queue_depth", "q"), 0);
  book.broker_restarted();
  run();
  EXPECT_EQ(value("mes_queue_published_total", "q"), 0);
}

TEST_F(QueueBookTest, WithoutStatisticsThereAreNoCounters) {
  statistics = false;
  queue("q", 5);
  run();
  run();
  EXPECT_EQ(value("mes_queue_depth", "q"), 5);
  for (const char* metric : {"mes_queue_published_total", "mes_queue_acked_total", "mes_queue_stalled",
                             "mes_queue_drain_seconds", "mes_queue_head_age_seconds", "mes_queue_consumers"})
    EXPECT_FALSE(value(metric, "q")) << metric;
}

TEST_F(QueueBookTest, AQueueOfWhichNothingIsKnownHasNoSeries) {
  queues[{"/", "q"}].name = {"/", "q"};
  statistics = false;
  run();
  EXPECT_TRUE(samples->families().empty());
}

TEST_F(QueueBookTest, AgesAreMeasuredWhereThereIsATimestamp) {
  QueueFacts& facts = queue("q", 3);
  facts.head_timestamp = 1'800'000'005 - 90;
  run();
  EXPECT_NEAR(value("mes_queue_head_age_seconds", "q", "measured").value(), 90, 1e-3);
  EXPECT_FALSE(value("mes_queue_head_age_seconds", "q", "estimated"));
  facts.head_timestamp = 1'800'000'010.0 * 1000 - 60'000;  // a publisher that takes it for milliseconds
  run();
  EXPECT_NEAR(value("mes_queue_head_age_seconds", "q", "measured").value(), 60, 1e-3);
  facts.head_timestamp = 1'800'000'015 + 20;  // its clock is ahead
  run();
  EXPECT_EQ(value("mes_queue_head_age_seconds", "q", "measured"), 0);
}

TEST_F(QueueBookTest, TimestampsThatCannotBeAreNotBelieved) {
  for (const double stamp : {0.0, 3e9, 1e300}) {
    queue("q", 3).head_timestamp = stamp;
    run();
    EXPECT_FALSE(value("mes_queue_head_age_seconds", "q", "measured")) << stamp;
    EXPECT_TRUE(value("mes_queue_head_age_seconds", "q", "estimated")) << stamp;
  }
}

TEST_F(QueueBookTest, NothingReadyHasNoAge) {
  queue("q", 0, 5).head_timestamp = 1'800'000'000;
  run();
  EXPECT_FALSE(value("mes_queue_head_age_seconds", "q"));
}

TEST_F(QueueBookTest, AQueueThatOnlyDelaysIsNeitherStalledNorOld) {
  QueueFacts& facts = queue("retry", 3);
  facts.consumers = 0;
  facts.counters = QueueCounters{20, 0, 0, 0, 0};
  facts.dead_letter_exchange = "";
  for (int i = 0; i < 100; ++i) run();
  EXPECT_EQ(value("mes_queue_delay_info", "retry"), std::nullopt);
  EXPECT_EQ(value("mes_queue_stalled", "retry"), 1);
  facts.has_ttl = true;
  run();
  EXPECT_EQ(value("mes_queue_delay_info", "retry"), 1);
  EXPECT_EQ(value("mes_queue_depth", "retry"), 3);
  EXPECT_EQ(value("mes_queue_stalled", "retry"), std::nullopt);
  EXPECT_EQ(value("mes_queue_head_age_seconds", "retry"), std::nullopt);
  facts.counters->delivered = 1;  // before this program came, somebody read it
  run();
  EXPECT_EQ(value("mes_queue_delay_info", "retry"), std::nullopt);
  facts.counters->delivered = 0;
  facts.consumers = 1;
  run();
  facts.consumers = 0;
  run();
  EXPECT_EQ(value("mes_queue_delay_info", "retry"), std::nullopt);
}

TEST_F(QueueBookTest, DeadLettersStandApart) {
  queue("dead", 3);
  dead_letters.insert({"/", "dead"});
  run();
  queue("dead", 5);
  for (int i = 0; i < 4; ++i) run();
  EXPECT_FALSE(value("mes_queue_depth", "dead"));
  EXPECT_EQ(value("mes_dead_letter_depth", "dead"), 5);
  EXPECT_EQ(value("mes_dead_letter_published_total", "dead"), 2);
  EXPECT_FALSE(value("mes_queue_delay_info", "dead"));
}

TEST_F(QueueBookTest, DeadLettersThatGoBackByThemselvesAreOfAQueueThatDelays) {
  QueueFacts& facts = queue("retry", 3);
  facts.consumers = 0;
  facts.dead_letter_exchange = "";
  facts.has_ttl = true;
  dead_letters.insert({"/", "retry"});
  run();
  EXPECT_EQ(value("mes_dead_letter_depth", "retry"), 3);
  EXPECT_EQ(value("mes_queue_delay_info", "retry"), 1);
}

TEST_F(QueueBookTest, StreamsStandApart) {
  queue("s", 1000).type = QueueType::stream;
  run();
  EXPECT_FALSE(value("mes_queue_depth", "s"));
  EXPECT_EQ(value("mes_stream_messages", "s"), 1000);
  EXPECT_FALSE(value("mes_stream_consumer_lag", "s"));
  lags[{"/", "s"}] = 7;
  run();
  EXPECT_EQ(value("mes_stream_consumer_lag", "s"), 7);
}

TEST_F(QueueBookTest, AQueueThatGoesTakesItsHistoryAlong) {
  queue("q", 100).consumers = 1;
  run();
  run();
  EXPECT_TRUE(value("mes_queue_growth_per_second", "q"));
  EXPECT_TRUE(book.consumed({"/", "q"}));
  const QueueMap kept = std::move(queues);
  queues.clear();
  run();
  EXPECT_FALSE(book.consumed({"/", "q"}));
  queues = kept;
  queue("q", 100).consumers = 0;
  run();
  EXPECT_FALSE(value("mes_queue_growth_per_second", "q"));
}

}  // namespace
}  // namespace sidelight::rabbitmq
