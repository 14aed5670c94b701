#include "collectors/postgres/advice.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

HotColdTable settings() {
  HotColdTable s;
  s.partial_index_min_rows = 1000;
  s.partition_min_size = 1 << 20;
  return s;
}

// A small table with 5 % hot rows about which nothing is to be said.
HotColdFacts facts() {
  HotColdFacts f;
  f.table = "public.orders";
  f.plain_schema = "public";
  f.plain_table = "orders";
  f.status_column = "status";
  f.created_column = "created_at";
  f.hot_literals = "'new', 'priced'";
  f.role = "sidelight";
  f.hot_index = "orders_hot";
  f.next_month = "2026_12";
  f.months = {"2026-12-01", "2027-01-01", "2027-02-01"};
  f.has_statistics = true;
  f.rows = 999;
  f.size = 1000;
  f.size_known = true;
  f.hot_share = 0.05;
  return f;
}

std::vector<std::string> actions(const HotColdFacts& f, const HotColdTable& s = settings()) {
  std::vector<std::string> out;
  for (const TableAdvice& a : advise(s, f)) out.push_back(a.action + ":" + a.code);
  return out;
}

using Actions = std::vector<std::string>;

TEST(Advice, IsNoneForASmallTable) {
  EXPECT_EQ(actions(facts()), Actions{});
}

TEST(Advice, APartialIndexForFewHotRowsOfMany) {
  HotColdFacts f = facts();
  f.rows = 1000;
  EXPECT_EQ(actions(f), Actions{"partial_index:no_status_index"});
  EXPECT_EQ(advise(settings(), f)[0].statement,
            "CREATE INDEX CONCURRENTLY orders_hot ON public.orders (created_at) WHERE status IN ('new', "
            "'priced');");
  EXPECT_EQ(advise(settings(), f)[0].reason, "5 % of 1000 rows are hot, and no index leads to them");
  f.created_column.clear();
  EXPECT_EQ(
      advise(settings(), f)[0].statement,
      "CREATE INDEX CONCURRENTLY orders_hot ON public.orders (status) WHERE status IN ('new', 'priced');");
  f.indexes = {
      {.name = "i", .leads_with_status = true, .partial = false, .hot = Coverage::yes, .rows = 1000}};
  EXPECT_EQ(actions(f), Actions{"partial_index:full_index_holds_cold_rows"});
}

TEST(Advice, NoPartialIndexWhereManyOrNoRowsAreHot) {
  HotColdFacts f = facts();
  f.rows = 1e6;
  f.hot_share = 0.2;
  EXPECT_EQ(actions(f).size(), 1u);
  f.hot_share = 0.201;
  EXPECT_EQ(actions(f), Actions{});
  f.hot_share = 0;
  EXPECT_EQ(actions(f), Actions{});
}

TEST(Advice, NoPartialIndexWhereOneHoldsTheHotRowsOrMay) {
  HotColdFacts f = facts();
  f.rows = 1e6;
  f.indexes = {{.name = "i", .leads_with_status = false, .partial = true, .hot = Coverage::yes, .rows = 5e4}};
  EXPECT_EQ(actions(f), Actions{});
  f.indexes[0].rows.reset();
  EXPECT_EQ(actions(f), Actions{});
  f.indexes[0].hot = Coverage::unknown;
  EXPECT_EQ(actions(f), Actions{});
  f.indexes[0].hot = Coverage::no;
  EXPECT_EQ(actions(f).size(), 1u);
}

TEST(Advice, APartialIndexThatHoldsTheColdRowsTooIsNone) {
  HotColdFacts f = facts();
  f.rows = 1e6;
  f.indexes = {{.name = "i", .leads_with_status = false, .partial = true, .hot = Coverage::yes, .rows = 9e5}};
  EXPECT_EQ(actions(f).size(), 1u);
}

TEST(Advice, APartitionedTableCannotHaveItsIndexConcurrently) {
  HotColdFacts f = facts();
  f.rows = 1e6;
  f.partitioned = true;
  f.plain = false;
  const auto advice = advise(settings(), f);
  ASSERT_EQ(advice.size(), 1u);
  EXPECT_EQ(advice[0].statement.find("CONCURRENTLY"), std::string::npos);
}

TEST(Advice, PartitionsForALargeAndColdTable) {
  HotColdFacts f = facts();
  f.size = 1 << 20;
  EXPECT_EQ(actions(f), Actions{"partition_by_month:large_and_cold"});
  const std::string ddl = advise(settings(), f)[0].statement;
  EXPECT_NE(ddl.find("ATTACH PARTITION \"public\".\"orders_before_2026_12\" FOR VALUES FROM (MINVALUE) TO "
                     "('2026-12-01');"),
            std::string::npos)
      << ddl;
  EXPECT_NE(ddl.find("CREATE TABLE \"public\".\"orders_2027_01\" PARTITION OF public.orders FOR VALUES FROM "
                     "('2027-01-01') TO "
                     "('2027-02-01');"),
            std::string::npos)
      << ddl;
}

TEST(Advice, NoPartitionsForWhatIsNoPlainLargeColdTable) {
  HotColdFacts large = facts();
  large.size = 1 << 20;
  for (const auto& change : std::vector<void (*)(HotColdFacts&)>{
           [](HotColdFacts& f) { f.size -= 1; }, [](HotColdFacts& f) { f.size_known = false; },
           [](HotColdFacts& f) { f.hot_share = 0.21; }, [](HotColdFacts& f) { f.partitioned = true; },
           [](HotColdFacts& f) { f.is_partition = true; }, [](HotColdFacts& f) { f.plain = false; }}) {
    HotColdFacts f = large;
    change(f);
    EXPECT_EQ(actions(f), Actions{});
  }
}

TEST(Advice, QuotesNamesOfPartitions) {
  HotColdFacts f = facts();
  f.size = 1 << 20;
  f.plain_schema = "a\"b";
  f.plain_table = std::string(60, 'x');
  const std::string ddl = advise(settings(), f)[0].statement;
  EXPECT_NE(ddl.find("\"a\"\"b\".\"" + std::string(40, 'x') + "_before_2026_12\""), std::string::npos) << ddl;
  f.plain_table = std::string(39, 'x') + "\xe2\x98\x83";  // never cut within a character
  EXPECT_NE(advise(settings(), f)[0].statement.find("\"" + std::string(39, 'x') + "_before"),
            std::string::npos);
}

TEST(Advice, AMissingRightIsTheOnlyAdvice) {
  HotColdFacts f = facts();
  f.rows = 1e6;
  f.may_see_status = false;
  EXPECT_EQ(actions(f), Actions{"grant:no_select"});
  EXPECT_EQ(advise(settings(), f)[0].statement, "GRANT SELECT (status) ON public.orders TO sidelight;");
  f.may_see_status = true;
  f.row_security = true;
  EXPECT_EQ(actions(f), Actions{"grant:row_security"});
}

TEST(Advice, NoStatisticsAreToBeMade) {
  HotColdFacts f = facts();
  f.has_statistics = false;
  f.hot_share.reset();
  EXPECT_EQ(actions(f), Actions{"analyze:never_analyzed"});
  f.partitioned = true;
  EXPECT_EQ(actions(f), Actions{"analyze:partitioned_never_analyzed"});
  f.empty = true;
  EXPECT_EQ(actions(f), Actions{});
}

TEST(Advice, OldStatisticsStillServe) {
  HotColdFacts f = facts();
  f.rows = 1e6;
  f.stale_statistics = true;
  EXPECT_EQ(actions(f), (Actions{"analyze:stale", "partial_index:no_status_index"}));
}

TEST(Advice, AReplicaSendsToThePrimary) {
  HotColdFacts f = facts();
  f.rows = 1e6;
  f.size = 1e12;
  f.stale_statistics = true;
  f.replica = true;
  const auto advice = advise(settings(), f);
  EXPECT_EQ(advice.size(), 3u);
  for (const TableAdvice& a : advice)
    EXPECT_TRUE(a.statement.starts_with("-- on the primary:\n")) << a.statement;
}

TEST(Selectivity, IsTheHotShareWhereTheIndexLeadsWithTheStatus) {
  const HotColdFacts f = facts();
  EXPECT_EQ(
      selectivity(
          f, {.name = "i", .leads_with_status = true, .partial = false, .hot = Coverage::yes, .rows = {}}),
      0.05);
}

TEST(Selectivity, IsWhatAPartialIndexHolds) {
  const HotColdFacts f = facts();
  const StatusIndex partial{
      .name = "i", .leads_with_status = false, .partial = true, .hot = Coverage::yes, .rows = 99.9};
  EXPECT_DOUBLE_EQ(*selectivity(f, partial), 0.1);
  StatusIndex other = partial;
  other.hot = Coverage::no;
  EXPECT_FALSE(selectivity(f, other));
  other.hot = Coverage::unknown;
  EXPECT_FALSE(selectivity(f, other));
  other.partial = false;
  EXPECT_FALSE(selectivity(f, other));  // an index on something else
}

}  // namespace
}  // namespace sidelight
