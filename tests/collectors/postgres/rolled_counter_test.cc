#include "collectors/postgres/rolled_counter.h"

#include <gtest/gtest.h>

#include <map>

namespace sidelight {
namespace {

// One pass over members of root "t".
double pass(RolledCounter& counter, const std::map<std::uint64_t, double>& members) {
  counter.begin();
  for (const auto& [member, value] : members) counter.add("t", member, value);
  counter.end();
  return counter.total("t");
}

TEST(RolledCounter, BeginsWithTheSum) {
  RolledCounter counter;
  EXPECT_EQ(pass(counter, {{1, 10}, {2, 5}}), 15);
  EXPECT_EQ(pass(counter, {{1, 12}, {2, 5}}), 17);
}

TEST(RolledCounter, KeepsWhatADroppedMemberCounted) {
  RolledCounter counter;
  pass(counter, {{1, 1000}, {2, 5}});
  EXPECT_EQ(pass(counter, {{2, 6}}), 1006);
  EXPECT_EQ(counter.size(), 1u);
}

TEST(RolledCounter, AddsWhatANewMemberCounted) {
  RolledCounter counter;
  pass(counter, {{1, 10}});
  EXPECT_EQ(pass(counter, {{1, 10}, {2, 3}}), 13);
}

TEST(RolledCounter, TakesAFallForANewBeginning) {
  RolledCounter counter;
  pass(counter, {{1, 1000}});
  EXPECT_EQ(pass(counter, {{1, 4}}), 1004);
}

TEST(RolledCounter, ForgetsARootThatIsGone) {
  RolledCounter counter;
  pass(counter, {{1, 10}});
  EXPECT_EQ(pass(counter, {}), 0);
  EXPECT_EQ(counter.size(), 0u);
  EXPECT_EQ(pass(counter, {{1, 11}}), 11);
}

TEST(RolledCounter, KeepsRootsApart) {
  RolledCounter counter;
  counter.begin();
  counter.add("a", 1, 1);
  counter.add("b", 2, 20);
  counter.end();
  EXPECT_EQ(counter.total("a"), 1);
  EXPECT_EQ(counter.total("b"), 20);
  EXPECT_EQ(counter.total("c"), 0);
}

}  // namespace
}  // namespace sidelight
