#include <gmock/gmock.h>

#include "tests/agent/send/logstash/stream_sender_fixture.h"

namespace sidelight {
namespace {

using namespace std::chrono_literals;
using test::make_batch;
using test::StreamSenderTest;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST_F(StreamSenderTest, AnAcknowledgedWindowIsDelivered) {
  good_server();
  give(3);
  EXPECT_TRUE(finish());
  EXPECT_THAT(world.ledger.settled, ElementsAre(0));
  EXPECT_EQ(world.recycler.recycled, 1);
  EXPECT_EQ(world.probe.shipped_docs, 3u);
  EXPECT_EQ(world.probe.states, std::vector<std::string>{""});
  EXPECT_THAT(world.barrier.asked, ElementsAre(7));
  ASSERT_EQ(windows(1).size(), 1u);
  EXPECT_EQ(windows(1)[0][1]["@metadata"]["_id"], test::doc_id(10, 20));
  EXPECT_EQ(world.budget.used(), 0u);
}

TEST_F(StreamSenderTest, NothingIsSentBeforeItIsDurable) {
  good_server();
  world.barrier.failures = 3;
  give(3);
  step(2);  // connects, then may not send
  EXPECT_EQ(streams.connections[1].received, "");
  EXPECT_TRUE(world.probe.saw("state_unwritable"));
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(StreamSenderTest, NoConnectionIsMadeForNothing) {
  step(3);
  EXPECT_THAT(streams.connections, IsEmpty());
}

TEST_F(StreamSenderTest, DocumentsGoInWindowsOfTheConfiguredSize) {
  good_server();
  give(25);
  EXPECT_TRUE(finish());
  ASSERT_EQ(windows(1).size(), 3u);
  EXPECT_EQ(windows(1)[0].size(), 10u);
  EXPECT_EQ(windows(1)[2].size(), 5u);
  EXPECT_EQ(streams.connections.size(), 1u) << "one connection for all";
}

TEST_F(StreamSenderTest, APartialAcknowledgementSettlesWhatItNames) {
  give(8);
  let_run();
  streams.acknowledge(1, 3);
  step();
  EXPECT_EQ(world.probe.shipped_docs, 3u);
  EXPECT_FALSE(sender().idle());
  streams.acknowledge(1, 8);
  step();
  EXPECT_TRUE(sender().idle());
  EXPECT_EQ(world.probe.shipped_docs, 8u);
}

TEST_F(StreamSenderTest, WhatWasAcknowledgedIsNotSentAgain) {
  give(8);
  let_run();
  streams.acknowledge(1, 3);
  streams.cut(1);
  good_server();
  EXPECT_TRUE(finish());
  EXPECT_THAT(numbers(windows(2)[0]), ElementsAre(3, 4, 5, 6, 7));
  EXPECT_EQ(world.probe.shipped_docs, 8u);
  EXPECT_EQ(world.probe.retries["connection"], 5u);
}

TEST_F(StreamSenderTest, ALaterAcknowledgementNeverGoesBack) {
  give(8);
  let_run();
  streams.acknowledge(1, 5);
  streams.acknowledge(1, 2);
  streams.acknowledge(1, 5);
  step();
  EXPECT_EQ(world.probe.shipped_docs, 5u);
  streams.acknowledge(1, 8);
  step();
  EXPECT_TRUE(sender().idle());
  EXPECT_EQ(streams.connections.size(), 1u);
}

TEST_F(StreamSenderTest, MoreThanWasSentIsNoAcknowledgement) {
  give(8);
  let_run();
  streams.acknowledge(1, 9);
  step();
  EXPECT_EQ(world.probe.shipped_docs, 0u);
  EXPECT_TRUE(world.probe.saw("bad_answer"));
  EXPECT_EQ(streams.open_now(), 0u);
  good_server();
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.probe.shipped_docs, 8u);
}

TEST_F(StreamSenderTest, AnAcknowledgementOfWhatIsStillBeingSentIsNone) {
  streams.stuck = true;
  give(8);
  let_run();
  streams.acknowledge(1, 8);
  step();
  EXPECT_EQ(world.probe.shipped_docs, 0u);
  EXPECT_TRUE(world.probe.saw("bad_answer"));
}

TEST_F(StreamSenderTest, KeepAlivesAreWaitedOn) {
  give(8);
  let_run();
  for (int i = 0; i < 50; ++i) {
    world.clock.advance(900ms);
    streams.acknowledge(1, 0);
    step();
  }
  EXPECT_EQ(streams.connections.size(), 1u);
  EXPECT_TRUE(world.probe.retries.empty());
  EXPECT_TRUE(world.probe.saw("overloaded")) << "that it stands still is told";
  streams.acknowledge(1, 8);
  step();
  EXPECT_TRUE(sender().idle());
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(StreamSenderTest, WithoutASignOfLifeTheTimeoutEndsIt) {
  give(8);
  let_run();
  const MonoTime before = world.clock.now();
  step();  // waits until something is due
  EXPECT_GT(world.clock.now() - before, 900ms);
  EXPECT_LE(world.clock.now() - before, 1s);
  EXPECT_EQ(world.probe.retries["timeout"], 8u);
  EXPECT_TRUE(world.probe.saw("timeout"));
  EXPECT_TRUE(streams.connections[1].closed_by_us);
  good_server();
  EXPECT_TRUE(finish());
}

TEST_F(StreamSenderTest, AReceiverThatReadsNothingTimesOutToo) {
  streams.stuck = true;
  give(8);
  step(4);
  EXPECT_TRUE(world.probe.saw("timeout"));
  streams.stuck = false;
  good_server();
  EXPECT_TRUE(finish());
}

TEST_F(StreamSenderTest, AsManyWindowsAsAllowedAreOnTheWay) {
  options.pipelining = 3;
  give(100);
  let_run();
  EXPECT_EQ(windows(1).size(), 3u);
  streams.acknowledge(1, 10);
  let_run();
  EXPECT_EQ(windows(1).size(), 4u);
  EXPECT_EQ(world.probe.shipped_docs, 10u);
  EXPECT_EQ(world.probe.limit, 3);
}

TEST_F(StreamSenderTest, AcknowledgementsOfSeveralWindowsComeInOneRead) {
  options.pipelining = 3;
  give(30);
  let_run();
  const std::string whole("2A\0\0\0\x0a", 6);
  streams.say(1, whole + std::string("2A\0\0\0\0", 6) + whole + whole.substr(0, 3));
  step();
  EXPECT_EQ(world.probe.shipped_docs, 20u);
  streams.say(1, whole.substr(3));
  step();
  EXPECT_TRUE(sender().idle());
}

TEST_F(StreamSenderTest, AllWindowsOfACutConnectionGoAgainInOrder) {
  options.pipelining = 3;
  give(30);
  let_run();
  streams.acknowledge(1, 10);
  streams.acknowledge(1, 4);
  streams.cut(1);
  good_server();
  EXPECT_TRUE(finish());
  std::vector<int> second;
  for (const auto& w : windows(2)) {
    for (const int n : numbers(w)) second.push_back(n);
  }
  ASSERT_EQ(second.size(), 16u);
  EXPECT_EQ(second.front(), 14);
  EXPECT_TRUE(std::is_sorted(second.begin(), second.end()));
}

TEST_F(StreamSenderTest, DocumentsThatARuleSettledAreLeftOut) {
  good_server();
  auto batch = make_batch(6, 0, false);
  batch->settle(0, world.ledger);
  batch->settle(3, world.ledger);
  sender().accept(std::move(batch));
  EXPECT_TRUE(finish());
  EXPECT_THAT(numbers(windows(1)[0]), ElementsAre(1, 2, 4, 5));
  EXPECT_EQ(world.probe.shipped_docs, 4u);
}

TEST_F(StreamSenderTest, ASmallWindowIsTriedWhenALargeOneGetsNowhere) {
  options.window = 64;
  streams.server = [this](Id id) {
    const auto size = windows(id).back().size();
    if (size <= 8) streams.acknowledge(id, static_cast<std::uint32_t>(size));  // more is too much for it
  };
  give(64);
  EXPECT_TRUE(finish(400));
  const auto times = times_sent();
  EXPECT_EQ(times.size(), 64u);
  EXPECT_EQ(world.probe.shipped_docs, 64u);
}

TEST_F(StreamSenderTest, OneDocumentThatKillsConnectionsDoesNotStopTheOthers) {
  options.window = 4;
  streams.server = [this](Id id) {
    const auto sent = numbers(windows(id).back());
    if (std::find(sent.begin(), sent.end(), 5) != sent.end()) {
      streams.cut(id);
    } else {
      streams.acknowledge(id, static_cast<std::uint32_t>(sent.size()));
    }
  };
  give(20);
  step(300);
  EXPECT_EQ(world.probe.shipped_docs, 19u);
  EXPECT_FALSE(sender().idle()) << "it is never given up";
  good_server();
  EXPECT_TRUE(finish());
}

TEST_F(StreamSenderTest, AnIdleConnectionThatEndsIsNoTrouble) {
  good_server();
  give(3);
  EXPECT_TRUE(finish());
  streams.cut(1);
  step(2);
  EXPECT_EQ(world.probe.states, std::vector<std::string>{""});
  give(3, 3);
  const MonoTime before = world.clock.now();
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.clock.now(), before) << "the next documents do not wait";
}

TEST_F(StreamSenderTest, AConnectionThatEndsJustAsItIsUsedAgainIsMadeAnewAtOnce) {
  good_server();
  give(3);
  EXPECT_TRUE(finish());
  streams.server = [this](Id id) {
    if (id == 1) {
      streams.cut(id);
    } else {
      streams.acknowledge(id, static_cast<std::uint32_t>(windows(id).back().size()));
    }
  };
  const MonoTime before = world.clock.now();
  give(3, 3);
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.clock.now(), before);
  EXPECT_EQ(world.probe.states, std::vector<std::string>{""}) << "nothing was wrong";
}

TEST_F(StreamSenderTest, AnOldConnectionIsMadeAnewOnceNothingIsOnItsWay) {
  options.connection_age = 60s;
  good_server();
  for (std::size_t i = 0; i < 5; ++i) {
    give(3, 3 * i);
    EXPECT_TRUE(finish());
    world.clock.advance(25s);
  }
  EXPECT_EQ(streams.connections.size(), 2u);
  EXPECT_TRUE(streams.connections[1].closed_by_us);
  EXPECT_THAT(times_sent(), Each(Pair(testing::_, 1)));
}

}  // namespace
}  // namespace sidelight
