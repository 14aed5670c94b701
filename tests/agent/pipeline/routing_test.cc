// Several outputs behind one worker: who gets what, when a position moves, and whose dead output stops whom.
#include <gtest/gtest.h>

#include "agent/pipeline/outlet.h"
#include "agent/pipeline/routing.h"
#include "agent/pipeline/span_ledger.h"

namespace sidelight {
namespace {

// Takes batches and keeps them until the test settles them.
class HoldingOutput final : public Output {
 public:
  explicit HoldingOutput(Ledger& ledger, BatchRecycler& recycler) : ledger_(ledger), recycler_(recycler) {}
  EncoderOptions encoding() const override { return {}; }
  void submit(BatchPtr batch) override { held.push_back(std::move(batch)); }
  std::size_t queued_bytes() const override { return held.size(); }
  bool drain(MonoTime /*deadline*/) override { return held.empty(); }
  void acknowledge() {
    for (BatchPtr& b : held) {
      for (std::size_t i = 0; i < b->docs.size(); ++i) b->settle(i, ledger_);
      recycler_.recycle(std::move(b));
    }
    held.clear();
  }
  std::vector<BatchPtr> held;

 private:
  Ledger& ledger_;
  BatchRecycler& recycler_;
};

struct Rig {
  Budget budget{8u << 20};
  BatchPool pool{budget, 1u << 20, [] {}};
  ChunkPool chunks{budget, 64 * 1024};
  SpanLedger ledger;
  std::shared_ptr<const Source> source =
      std::make_shared<const Source>(Source{0, "/a", std::string(22, 'A')});

  static std::unique_ptr<Outlet> outlet(Rig& rig, std::size_t share) {
    return std::make_unique<Outlet>("o", rig.pool, rig.budget,
                                    BatchLimits{1000, 100, std::chrono::seconds(1)}, share);
  }
  void add(Outlet& outlet, std::uint64_t span, std::size_t bytes) {
    Batch& b = outlet.batch(MonoTime{});
    Doc& d = b.docs.emplace_back();
    d.span = outlet.span(b, span, source);
    ++b.spans[d.span].pending;
    b.body.append(bytes, 'x');
  }
};

TEST(Outlets, ASpanSettlesWhenAllOfThemHaveAcknowledged) {
  Rig rig;
  auto a = Rig::outlet(rig, 0);
  auto b = Rig::outlet(rig, 0);
  HoldingOutput out_a(rig.ledger, *a);
  HoldingOutput out_b(rig.ledger, *b);
  a->connect(out_a, nullptr);
  b->connect(out_b, nullptr);
  rig.ledger.add_stream(1);
  const auto span = rig.ledger.open(1, MonoTime{});
  rig.add(*a, span, 10);
  rig.add(*a, span, 10);
  rig.add(*b, span, 10);
  SettledTo to;
  to.position.lane.fill(100);
  rig.ledger.close(span, to, 2);
  a->seal(0);
  b->seal(0);
  EXPECT_FALSE(rig.ledger.take(1).advanced_to.has_value());
  out_a.acknowledge();
  EXPECT_FALSE(rig.ledger.take(1).advanced_to.has_value());
  out_b.acknowledge();
  const auto progress = rig.ledger.take(1);
  ASSERT_TRUE(progress.advanced_to.has_value());
  EXPECT_EQ(progress.advanced_to->position.low(), 100u);
  EXPECT_TRUE(progress.idle);
}

TEST(Outlets, ShareCountsOpenAndSentBatchesWithTheirChunks) {
  Rig rig;
  auto a = Rig::outlet(rig, 100'000);
  HoldingOutput out(rig.ledger, *a);
  a->connect(out, nullptr);
  rig.add(*a, 0, 500);
  a->hold(rig.chunks.get(64 * 1024));
  EXPECT_FALSE(a->charge());
  EXPECT_FALSE(a->is_over_share());
  a->seal(7);
  EXPECT_EQ(out.held.at(0)->durable_seq, 7u);
  a->begin_window();
  rig.add(*a, 0, 500);
  a->hold(rig.chunks.get(64 * 1024));
  a->charge();
  EXPECT_TRUE(a->is_over_share());
  out.acknowledge();
  EXPECT_FALSE(a->is_over_share());
}

TEST(Outlets, ABatchThatIsFullHasToGo) {
  Rig rig;
  auto a = Rig::outlet(rig, 0);
  HoldingOutput out(rig.ledger, *a);
  a->connect(out, nullptr);
  rig.add(*a, 0, 999);
  EXPECT_FALSE(a->charge());
  rig.add(*a, 0, 1);
  EXPECT_TRUE(a->charge());
}

Condition level(const std::string& name) {
  ConditionOptions o;
  o.must.levels = {name};
  return std::move(*Condition::make(o));
}

TEST(Routing, FirstMatchDecidesCopiesGoOn) {
  Routing routing;
  routing.routes.push_back({level("error"), 1, true});
  routing.routes.push_back({level("error"), 2, false});
  routing.routes.push_back({level("info"), 3, false});
  routing.otherwise = 4;
  Arena arena;
  const EventContext context{arena, 0, 0, nullptr, "", nullptr};
  Record record;
  record.level = "error";
  EXPECT_EQ(routing.choose(record, context), 0b00110u);
  record.level = "info";
  EXPECT_EQ(routing.choose(record, context), 0b01000u);
  record.level = "debug";
  EXPECT_EQ(routing.choose(record, context), 0b10000u);
  EXPECT_EQ(routing.all(), 0b11110u);
}

TEST(Routing, WhatIsBehindARouteForAllIsNeverFed) {
  Routing routing;
  routing.routes.push_back({Condition(), 1, false});
  routing.routes.push_back({level("info"), 2, false});
  EXPECT_EQ(routing.all(), 0b10u);
}

}  // namespace
}  // namespace sidelight
