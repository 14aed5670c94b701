// Which host gets what, and when one that failed is tried again.
#include <gmock/gmock.h>

#include "tests/agent/send/logstash/stream_sender_fixture.h"

namespace sidelight {
namespace {

using namespace std::chrono_literals;
using test::StreamSenderTest;

const StreamError kRefused{StreamError::Kind::connect, "cannot connect: Connection refused"};

TEST_F(StreamSenderTest, WaitsGrowWithJitterUpToTheCap) {
  streams.door = [](const StreamTarget&) { return kRefused; };
  give(1);
  step(400);
  std::vector<Nanos> gaps;
  for (Id id = 2; id <= streams.connections.size(); ++id)
    gaps.push_back(streams.connections[id].opened - streams.connections[id - 1].opened);
  ASSERT_GT(gaps.size(), 100u);
  EXPECT_LE(gaps[0], 100ms);
  EXPECT_LE(*std::max_element(gaps.begin(), gaps.end()), 2000ms);
  EXPECT_GT(*std::max_element(gaps.begin(), gaps.end()), 1500ms);
  EXPECT_LT(*std::min_element(gaps.begin() + 10, gaps.end()), 500ms) << "full jitter: some are short";
  EXPECT_EQ(world.probe.states, std::vector<std::string>{"connect"}) << "told once";
  EXPECT_EQ(world.probe.shipped_docs, 0u);
}

TEST_F(StreamSenderTest, EachTroubleHasItsCause) {
  using Kind = StreamError::Kind;
  const std::vector<std::pair<Kind, std::string>> table = {{Kind::resolve, "resolve"},
                                                           {Kind::connect, "connect"},
                                                           {Kind::tls, "tls"},
                                                           {Kind::timeout, "timeout"},
                                                           {Kind::closed, "connection_lost"}};
  give(1);
  for (const auto& [kind, cause] : table) {
    streams.door = [k = kind](const StreamTarget&) { return StreamError{k, "no"}; };
    step(20);
    EXPECT_EQ(world.probe.states.back(), cause);
  }
}

TEST_F(StreamSenderTest, OneHostAtATimeAndTheNextWhenItFails) {
  options.hosts = {"one:5044", "two:5044", "three:5044"};
  good_server();
  give(10);
  EXPECT_TRUE(finish());
  EXPECT_EQ(streams.connections.size(), 1u);
  const std::string first = streams.connections[1].target.host;
  streams.server = nullptr;
  give(10, 10);
  let_run();
  streams.door = [first](const StreamTarget& t) {
    return t.host == first ? std::optional(kRefused) : std::nullopt;
  };
  streams.cut(1);
  good_server();
  const MonoTime before = world.clock.now();
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.clock.now(), before) << "another host is not waited for";
  EXPECT_NE(streams.connections.rbegin()->second.target.host, first);
  EXPECT_EQ(world.probe.states, std::vector<std::string>{""}) << "with another host the output is not down";
}

TEST_F(StreamSenderTest, ItIsDownWhenEveryHostFails) {
  options.hosts = {"one:5044", "two:5044"};
  streams.door = [](const StreamTarget&) { return kRefused; };
  give(1);
  step(3);
  EXPECT_TRUE(world.probe.saw("connect"));
  streams.door = nullptr;
  good_server();
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(StreamSenderTest, LoadIsBalancedOverAllHosts) {
  options.hosts = {"one:5044", "two:5044"};
  options.load_balance = true;
  good_server();
  give(200);
  EXPECT_TRUE(finish());
  ASSERT_EQ(streams.connections.size(), 2u);
  EXPECT_GE(windows(1).size(), 5u);
  EXPECT_GE(windows(2).size(), 5u);
  for (const auto& [n, times] : times_sent()) EXPECT_EQ(times, 1) << n;
  EXPECT_EQ(world.probe.limit, 2);
}

TEST_F(StreamSenderTest, ABusyHostGetsLessThanAQuickOne) {
  options.hosts = {"one:5044", "two:5044"};
  options.load_balance = true;
  streams.server = [this](Id id) {
    if (streams.connections[id].target.host == "two")
      streams.acknowledge(id, static_cast<std::uint32_t>(windows(id).back().size()));
  };
  give(200);
  step(80);
  std::size_t slow = 0;
  for (const auto& [id, c] : streams.connections) {
    if (c.target.host == "one") slow = std::max(slow, windows(id).size());
  }
  EXPECT_EQ(slow, 1u);
  EXPECT_GE(world.probe.shipped_docs, 180u);
}

TEST_F(StreamSenderTest, DrainingDoesNotWaitBackOffOut) {
  options.backoff_initial = options.backoff_max = 60s;
  streams.door = [](const StreamTarget&) { return kRefused; };
  give(1);
  let_run();
  sender().start_draining();
  streams.door = nullptr;
  good_server();
  const MonoTime before = world.clock.now();
  EXPECT_TRUE(finish());
  EXPECT_LE(world.clock.now() - before, 250ms);
}

TEST_F(StreamSenderTest, AfterAnAbortNothingIsOpenAndNothingSettled) {
  give(5);
  let_run();
  sender().abort();
  EXPECT_EQ(streams.open_now(), 0u);
  EXPECT_FALSE(sender().idle());
  EXPECT_TRUE(world.ledger.settled.empty());
  EXPECT_EQ(world.budget.used(), 0u);
}

TEST_F(StreamSenderTest, JsonLinesAreSettledOnceTheOtherSystemHasThem) {
  options.protocol = LogstashProtocol::tcp;
  give(3);
  streams.server = [this](Id id) { streams.connections[id].unacknowledged = 100; };
  let_run();
  EXPECT_EQ(test::lines_of(streams.connections[1].received).size(), 3u);
  EXPECT_EQ(nlohmann::json::parse(test::lines_of(streams.connections[1].received)[2])["n"], 2);
  EXPECT_EQ(world.probe.shipped_docs, 0u);
  streams.connections[1].unacknowledged = 0;
  let_run();
  EXPECT_TRUE(sender().idle());
  EXPECT_EQ(world.probe.shipped_docs, 3u);
}

TEST_F(StreamSenderTest, JsonLinesThatTheOtherSystemHasNotAreSentAgain) {
  options.protocol = LogstashProtocol::tcp;
  give(3);
  streams.server = [this](Id id) { streams.connections[id].unacknowledged = 100; };
  step(3);
  streams.cut(1);
  streams.server = nullptr;
  EXPECT_TRUE(finish());
  EXPECT_EQ(test::lines_of(streams.connections[2].received).size(), 3u);
}

}  // namespace
}  // namespace sidelight
