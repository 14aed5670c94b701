#include "agent/pipeline/span_ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sidelight {
namespace {

SettledTo to(std::uint64_t offset) {
  SettledTo s;
  s.position.lane.fill(offset);
  return s;
}

TEST(SpanLedger, AdvancesOnlyOverTheContiguousSettledPrefix) {
  SpanLedger ledger;
  ledger.add_stream(1);
  const auto a = ledger.open(1, {});
  ledger.close(a, to(10), true);
  const auto b = ledger.open(1, {});
  ledger.close(b, to(20), true);
  ledger.span_settled(b);
  EXPECT_FALSE(ledger.take(1).advanced_to);
  ledger.span_settled(a);
  const auto p = ledger.take(1);
  ASSERT_TRUE(p.advanced_to);
  EXPECT_EQ(p.advanced_to->position.low(), 20u);
  EXPECT_TRUE(p.idle);
}

TEST(SpanLedger, ASpanWithoutDocumentsSettlesAtOnceButNotBeforeItsPredecessors) {
  SpanLedger ledger;
  ledger.add_stream(1);
  const auto a = ledger.open(1, {});
  ledger.close(a, to(10), true);
  const auto b = ledger.open(1, {});
  ledger.close(b, to(20), false);
  EXPECT_FALSE(ledger.take(1).advanced_to);
  ledger.span_settled(a);
  EXPECT_EQ(ledger.take(1).advanced_to->position.low(), 20u);
}

TEST(SpanLedger, ASpanSettledBeforeItIsClosedWaits) {
  SpanLedger ledger;
  ledger.add_stream(1);
  const auto a = ledger.open(1, {});
  ledger.span_settled(a);
  EXPECT_FALSE(ledger.take(1).advanced_to);
  ledger.close(a, to(10), true);
  EXPECT_EQ(ledger.take(1).advanced_to->position.low(), 10u);
}

TEST(SpanLedger, TellsTheAgeOfTheOldestOutstandingSpan) {
  SpanLedger ledger;
  ledger.add_stream(1);
  const MonoTime t(std::chrono::seconds(5));
  const auto a = ledger.open(1, t);
  ledger.close(a, to(10), true);
  const auto p = ledger.take(1);
  EXPECT_FALSE(p.idle);
  EXPECT_EQ(p.oldest, t);
}

TEST(SpanLedger, AcknowledgementsForAStreamThatLeftAreIgnored) {
  SpanLedger ledger;
  ledger.add_stream(1);
  const auto a = ledger.open(1, {});
  ledger.remove_stream(1);
  ledger.span_settled(a);
  EXPECT_TRUE(ledger.take(1).idle);
}

// A document may wait for days while those behind it are delivered.
TEST(SpanLedger, WhatIsSettledBehindOneThatWaitsTakesNoMemory) {
  SpanLedger ledger;
  ledger.add_stream(1);
  const auto waiting = ledger.open(1, {});
  ledger.close(waiting, to(1), 1);
  const auto memory = std::make_shared<const std::string>("of processors");
  std::vector<std::uint64_t> later;
  for (std::uint64_t i = 2; i <= 10'000; ++i) {
    SettledTo here = to(i);
    here.memory = memory;
    later.push_back(ledger.open(1, {}));
    ledger.close(later.back(), here, 1);
    if (i % 3 == 0) continue;  // these last
    ledger.span_settled(later.back());
  }
  for (std::size_t i = 1; i < later.size(); i += 3) ledger.span_settled(later[i]);
  EXPECT_LE(memory.use_count(), 2);
  EXPECT_FALSE(ledger.take(1).advanced_to);
  ledger.span_settled(waiting);
  const auto p = ledger.take(1);
  ASSERT_TRUE(p.advanced_to);
  EXPECT_EQ(p.advanced_to->position.low(), 10'000u);
  EXPECT_TRUE(p.idle);
}

TEST(SpanLedger, AnyOrderOfSettlementEndsAtTheSamePlace) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    SpanLedger ledger;
    ledger.add_stream(3);
    std::vector<std::uint64_t> spans;
    for (std::uint64_t i = 1; i <= 30; ++i) {
      spans.push_back(ledger.open(3, {}));
      ledger.close(spans.back(), to(i * 10), i % 4 != 0);
    }
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < spans.size(); ++i)
      if ((i + 1) % 4 != 0) open.push_back(i);
    std::shuffle(open.begin(), open.end(), random);
    std::uint64_t reached = 0;
    while (!open.empty()) {
      ledger.span_settled(spans[open.back()]);
      open.pop_back();
      const auto p = ledger.take(3);
      if (p.advanced_to) reached = p.advanced_to->position.low();
      std::size_t first_open = spans.size();
      for (const auto i : open) first_open = std::min(first_open, i);
      EXPECT_EQ(reached, first_open * 10);
    }
  }
}

}  // namespace
}  // namespace sidelight
