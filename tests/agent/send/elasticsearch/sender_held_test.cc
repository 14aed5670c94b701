// Documents that wait long: their neighbours do not, and what they keep of memory is little.
#include "agent/send/elasticsearch/set_aside.h"
#include "tests/agent/send/elasticsearch/sender_fixture.h"

namespace sidelight::test {
namespace {

using Refusal = FakeElasticsearch::Refusal;

// What a recycler does: the charge goes back.
struct ReleasingRecycler final : BatchRecycler {
  explicit ReleasingRecycler(Budget& b) : budget(b) {}
  Budget& budget;
  int recycled = 0;
  void recycle(BatchPtr batch) override {
    budget.release(batch->charged);
    ++recycled;
  }
};

class HeldDocumentsTest : public SenderTest {
 protected:
  HeldDocumentsTest() {
    context.emplace(OutputContext{world.clock, world.log, world.budget, world.ledger, world.barrier,
                                  world.gate, recycler, world.probe});
    sender_ = std::make_unique<Sender>(options, *context, fs, client, 42);
    es.refuse = [this](const std::string& d) -> std::optional<Refusal> {
      for (const std::size_t n : strange) {
        if (d.find(number(n)) != std::string::npos) return Refusal{400, "new_exception", "never seen"};
      }
      return std::nullopt;
    };
  }
  // Batch `i` of 100 documents, charged as a worker does.
  BatchPtr charged_batch(std::size_t i) {
    auto b = make_batch(100, 100 * i);
    charge_batch(*b, world.budget);
    return b;
  }
  ReleasingRecycler recycler{world.budget};
  std::optional<OutputContext> context;
  std::set<std::size_t> strange;
};

TEST_F(HeldDocumentsTest, OneUnknownErrorHoldsOnlyItsDocumentAndFreesItsBatch) {
  strange = {142};
  for (std::size_t i = 0; i < 3; ++i) sender().accept(charged_batch(i));
  const std::size_t full = world.budget.used();
  run_for(600);
  EXPECT_EQ(es.stored.size(), 299u);
  EXPECT_EQ(world.ledger.settled, (std::vector<std::uint64_t>{0, 200}));
  EXPECT_EQ(recycler.recycled, 3) << "all the batches that came in are free";
  EXPECT_LT(world.budget.used(), full / 2);
  EXPECT_EQ(world.probe.states.back(), "unknown_error");
  EXPECT_LT(es.bulks, 80);
  strange.clear();
  ASSERT_TRUE(run());
  EXPECT_EQ(es.stored.size(), 300u);
  EXPECT_EQ(world.ledger.settled, (std::vector<std::uint64_t>{0, 200, 100}));
  EXPECT_EQ(world.budget.used(), 0u);
  EXPECT_EQ(world.probe.states.back(), "");
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(world.probe.conflicts, 0u);
}

TEST_F(HeldDocumentsTest, ManyOfThemShareABatchAndARequest) {
  for (std::size_t i = 0; i < 40; ++i) strange.insert(100 * i + i);
  for (std::size_t i = 0; i < 40; ++i) {
    sender().accept(charged_batch(i));
    run_for(1);
  }
  run_for(120);
  EXPECT_EQ(es.stored.size(), 3960u);
  EXPECT_EQ(recycler.recycled >= 40, true) << recycler.recycled;
  EXPECT_LT(world.budget.used(), 200u << 10);
  const int before = es.bulks;
  run_for(300);
  EXPECT_LT(es.bulks - before, 60) << "they do not ask one by one";
  strange.clear();
  ASSERT_TRUE(run());
  expect_each_stored_once(4000);
  EXPECT_EQ(world.ledger.settled.size(), 40u);
  EXPECT_EQ(world.budget.used(), 0u);
  EXPECT_EQ(sender().recycled_bytes(), [&] {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < 40; ++i) bytes += make_batch(100, 100 * i)->body.size();
    return bytes;
  }());
}

// By a shard without a primary, say, or a node that is full.
TEST_F(HeldDocumentsTest, WhatIsRefusedForAWhileBesideOthersFreesItsBatchAndHoldsUpNobody) {
  for (const int status : {429, 503}) {
    SCOPED_TRACE(status);
    const std::size_t first = es.stored.size() / 100;
    for (std::size_t i = 0; i < 40; ++i) strange.insert(100 * (first + i) + i);
    es.refuse = [this, status](const std::string& d) -> std::optional<Refusal> {
      for (const std::size_t n : strange) {
        if (d.find(number(n)) != std::string::npos) return Refusal{status, "some_exception", "not now"};
      }
      return std::nullopt;
    };
    const int recycled = recycler.recycled;
    for (std::size_t i = 0; i < 40; ++i) {
      sender().accept(charged_batch(first + i));
      run_for(1);
      EXPECT_LT(world.budget.used(), 300u << 10);
    }
    run_for(120);
    EXPECT_GE(recycler.recycled - recycled, 40);
    ASSERT_FALSE(sender().idle());
    EXPECT_EQ(world.probe.states.back(), status == 429 ? "overloaded" : "unavailable");
    const int before = es.bulks;
    run_for(300);
    EXPECT_LT(es.bulks - before, 60) << "they do not ask one by one";
    strange.clear();
    ASSERT_TRUE(run());
    expect_each_stored_once(100 * (first + 40));
    EXPECT_EQ(world.budget.used(), 0u);
    EXPECT_EQ(world.probe.states.back(), "");
  }
}

TEST_F(HeldDocumentsTest, ADocumentSetAsideIsDeadLetteredWithItsOwnText) {
  strange = {7};
  sender().accept(charged_batch(0));
  run_for(60);
  ASSERT_EQ(recycler.recycled, 1);
  es.refuse = [](const std::string& d) -> std::optional<Refusal> {
    if (d.find(number(7)) == std::string::npos) return std::nullopt;
    return Refusal{400, "mapper_parsing_exception", "now it is known"};
  };
  ASSERT_TRUE(run());
  const auto letters = dead_letters();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_NE(letters[0].find("line 7\""), std::string::npos) << letters[0];
  EXPECT_NE(letters[0].find(doc_id(70, 80)), std::string::npos);
  EXPECT_EQ(world.ledger.settled, std::vector<std::uint64_t>{0});
  EXPECT_EQ(world.budget.used(), 0u);
}

TEST_F(HeldDocumentsTest, ADocumentThatMayHaveBeenStoredBeforeIsNoConflictLater) {
  strange = {7};
  es.instead = [this, cut = false](const ScriptedHttpClient::Seen&) mutable -> std::optional<HttpResult> {
    if (std::exchange(cut, true)) return std::nullopt;
    es.ids[R"({"create":{"_id":")" + doc_id(70, 80) + "\"}}"] = true;
    return std::unexpected(TransportError{TransportError::Kind::reset, true, "cut"});
  };
  sender().accept(charged_batch(0));
  run_for(60);
  ASSERT_EQ(recycler.recycled, 1);
  strange.clear();
  ASSERT_TRUE(run());
  EXPECT_EQ(world.probe.conflicts, 0u);
  EXPECT_EQ(world.probe.duplicate_docs, 1u);
}

TEST_F(HeldDocumentsTest, TheOutputStaysDownWhileSomethingWaitsAndOthersPass) {
  strange = {50};
  sender().accept(charged_batch(0));
  run_for(5);
  world.probe.states.clear();
  for (std::size_t i = 1; i < 100; ++i) {
    sender().accept(charged_batch(i));
    run_for(2);
  }
  EXPECT_EQ(es.stored.size(), 9999u);
  EXPECT_TRUE(world.probe.states.empty()) << "no flapping";
}

TEST_F(HeldDocumentsTest, ARefusalOfThoseAloneDoesNotHoldUpOthers) {
  strange = {50};
  sender().accept(charged_batch(0));
  run_for(300);  // its own back-off is long by now
  for (std::size_t i = 1; i < 60; ++i) {
    const MonoTime begin = world.clock.now();
    sender().accept(charged_batch(i));
    while (es.stored.size() < 100 * i + 99) sender().step(std::chrono::milliseconds(10));
    EXPECT_LT(world.clock.now() - begin, std::chrono::milliseconds(100)) << i;
    run_for(3);
  }
}

TEST_F(HeldDocumentsTest, AWholeBatchThatIsHeldStaysAsItIs) {
  es.refuse = [](const std::string&) -> std::optional<Refusal> {
    return Refusal{400, "index_closed_exception", "closed"};
  };
  sender().accept(charged_batch(0));
  run_for(30);
  EXPECT_EQ(recycler.recycled, 0);
  es.refuse = [](const std::string&) -> std::optional<Refusal> { return std::nullopt; };
  ASSERT_TRUE(run());
  expect_each_stored_once(100);
  EXPECT_EQ(world.budget.used(), 0u);
}

TEST_F(HeldDocumentsTest, OverloadedNeighboursAreWaitedForBeforeTheRestIsMoved) {
  strange = {10, 90};
  es.refuse = [this, turn = 0](const std::string& d) mutable -> std::optional<Refusal> {
    for (const std::size_t n : strange) {
      if (d.find(number(n)) != std::string::npos) return Refusal{400, "new_exception", "never seen"};
    }
    if (++turn % 3 == 0) return Refusal{429, "es_rejected_execution_exception", "queue"};
    return std::nullopt;
  };
  sender().accept(charged_batch(0));
  run_for(60);
  EXPECT_EQ(es.stored.size(), 98u);
  EXPECT_GE(recycler.recycled, 1);
  strange.clear();
  ASSERT_TRUE(run());
  expect_each_stored_once(100);
  EXPECT_EQ(world.ledger.settled, std::vector<std::uint64_t>{0});
  EXPECT_EQ(world.budget.used(), 0u);
}

TEST_F(SenderTest, AServerThatRejectsLargeRequestsGetsSmallerOnes) {
  std::size_t limit = 100'000;
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.size() <= limit) return std::nullopt;
    return FakeElasticsearch::error(429, "es_rejected_execution_exception", "coordinating bytes");
  };
  const MonoTime begin = world.clock.now();
  for (std::size_t i = 0; i < 10; ++i) sender().accept(make_batch(4000, 4000 * i));
  ASSERT_TRUE(run(20000));
  EXPECT_EQ(es.stored.size(), 40000u);
  EXPECT_LT(world.clock.now() - begin, std::chrono::minutes(2));
  EXPECT_TRUE(dead_letters().empty());
  // Later it takes more again.
  limit = 10'000'000;
  run_for(600);
  const int before = es.bulks;
  sender().accept(make_batch(4000, 40000));
  ASSERT_TRUE(run());
  EXPECT_LE(es.bulks - before, 5);
}

TEST_F(SenderTest, AnOverloadedServerIsNotAnsweredWithSwarmsOfSmallRequests) {
  es.instead = [](const auto&) -> std::optional<HttpResult> { return FakeElasticsearch::reply(429, ""); };
  for (std::size_t i = 0; i < 10; ++i) sender().accept(make_batch(4000, 4000 * i));
  run_for(1200);
  es.instead = [](const auto&) { return std::nullopt; };
  const int before = es.bulks;
  ASSERT_TRUE(run());
  expect_each_stored_once(40000);
  EXPECT_LE(es.bulks - before, 100) << "of at least 32 KiB each";
}

}  // namespace
}  // namespace sidelight::test
