#include "agent/base/chunk.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <utility>

namespace sidelight {
namespace {

TEST(Budget, HasRoomUntilItsCapIsUsed) {
  Budget budget(100);
  EXPECT_TRUE(budget.has_room());
  budget.charge(99);
  EXPECT_TRUE(budget.has_room());
  budget.charge(500);
  EXPECT_FALSE(budget.has_room());
  EXPECT_EQ(budget.used(), 599u);
  budget.release(500);
  EXPECT_TRUE(budget.has_room());
  budget.set_cap(99);
  EXPECT_FALSE(budget.has_room());
}

TEST(Budget, SparesAreKeptWhileTheyFitBesideWhatIsUsed) {
  Budget budget(100);
  budget.charge(50);
  EXPECT_TRUE(budget.keep_spare(30));
  EXPECT_FALSE(budget.keep_spare(30));
  EXPECT_TRUE(budget.keep_spare(20));
  EXPECT_EQ(budget.used(), 50u);
  budget.charge(49);
  EXPECT_TRUE(budget.has_room()) << "spares keep nobody from reading";
  budget.release(99);
  EXPECT_FALSE(budget.keep_spare(51));
  budget.drop_spare(50);
  EXPECT_TRUE(budget.keep_spare(100));
}

TEST(ChunkPool, KeepsNoSpareBeyondTheBudget) {
  Budget budget(10'000);
  ChunkPool pool(budget, 4096);
  {
    const ChunkRef a = pool.get(1);
    const ChunkRef b = pool.get(1);
    const ChunkRef c = pool.get(1);
  }
  EXPECT_FALSE(budget.keep_spare(10'000 - 2 * 4096 + 1)) << "two of them are kept";
  EXPECT_TRUE(budget.keep_spare(10'000 - 2 * 4096));
  const ChunkRef a = pool.get(1);
  EXPECT_TRUE(pool.release_unused());
  EXPECT_FALSE(pool.release_unused());
  EXPECT_TRUE(budget.keep_spare(4096)) << "one is used, the other was given back";
  EXPECT_FALSE(budget.keep_spare(1));
}

TEST(ChunkPool, ChargesWhatIsHeldAndNothingElse) {
  Budget budget(1 << 20);
  ChunkPool pool(budget, 4096);
  {
    const ChunkRef a = pool.get(1);
    EXPECT_EQ(a->capacity(), 4096u);
    EXPECT_EQ(budget.used(), 4096u);
    const ChunkRef b = pool.get(5000);
    EXPECT_GE(b->capacity(), 5000u);
    EXPECT_EQ(budget.used(), 4096u + b->capacity());
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(ChunkPool, ChunkReturnsWithItsLastHolder) {
  Budget budget(1 << 20);
  ChunkPool pool(budget, 4096);
  ChunkRef a = pool.get(1);
  ChunkRef b = a;
  ChunkRef c = std::move(a);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): that it lets go is the point
  b = ChunkRef();
  EXPECT_EQ(budget.used(), 4096u);
  c = c.get() ? std::move(c) : ChunkRef();
  EXPECT_EQ(budget.used(), 4096u);
  c = ChunkRef();
  EXPECT_EQ(budget.used(), 0u);
}

TEST(ChunkPool, ReusesStandardChunksAndForgetsTheirContent) {
  Budget budget(1 << 20);
  ChunkPool pool(budget, 4096);
  ChunkRef a = pool.get(1);
  const char* memory = a->data();
  std::memcpy(a->data(), "abc", 3);
  a->set_size(3);
  EXPECT_EQ(a->view(), "abc");
  a = ChunkRef();
  a = pool.get(4096);
  EXPECT_EQ(a->data(), memory);
  EXPECT_EQ(a->size(), 0u);
}

TEST(ChunkPool, GivesBackWhatIsNotNeededAnyMore) {
  Budget budget(1 << 20);
  ChunkPool pool(budget, 4096);
  {
    const ChunkRef a = pool.get(1);
    const ChunkRef b = pool.get(1);
  }
  EXPECT_TRUE(pool.release_unused());  // both were needed a moment ago
  {
    const ChunkRef a = pool.get(1);
  }  // one of them is needed still
  EXPECT_TRUE(pool.release_unused());
  EXPECT_FALSE(pool.release_unused());
}

TEST(ChunkPool, PaddingBelongsToTheChunk) {
  Budget budget(1 << 20);
  ChunkPool pool(budget, 100);
  for (const std::size_t n : {100u, 101u}) {
    const ChunkRef c = pool.get(n);
    std::memset(c->data(), 0, c->capacity() + Chunk::kPadding);  // a sanitizer objects if it is too short
    EXPECT_EQ(c->data()[c->capacity() + Chunk::kPadding - 1], 0);
  }
}

TEST(ChunkPool, IsShared) {
  Budget budget(1 << 20);
  ChunkPool pool(budget, 256);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool] {
      for (int i = 0; i < 2000; ++i) {
        const ChunkRef a = pool.get(static_cast<std::size_t>(i % 300));
        const ChunkRef b = a;
        b->set_size(1);
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace sidelight
