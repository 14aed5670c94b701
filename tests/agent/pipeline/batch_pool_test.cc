#include "agent/pipeline/batch_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidelight {
namespace {

constexpr std::size_t kBody = 400'000;

BatchPtr full(BatchPool& pool, Budget& budget) {
  BatchPtr batch = pool.get();
  batch->body.reserve(kBody);
  batch->charged = batch->memory();
  budget.charge(batch->charged);
  return batch;
}

TEST(BatchPool, KeepsBodiesForReuse) {
  Budget budget(1'000'000);
  int freed = 0;
  BatchPool pool(budget, kBody, [&] { ++freed; });
  pool.recycle(full(pool, budget));
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(pool.get()->body.capacity(), kBody);
  EXPECT_LT(pool.get()->body.capacity(), kBody) << "there was one";
}

TEST(BatchPool, KeepsNoBodyThatIsTooLarge) {
  Budget budget(1'000'000);
  BatchPool pool(budget, kBody - 1, [] {});
  pool.recycle(full(pool, budget));
  EXPECT_LT(pool.get()->body.capacity(), kBody);
}

// In a burst many small batches are in flight at once; each that is kept grows to a full one as it is used
// again.
TEST(BatchPool, KeepsNoMoreThanTheBudgetHasRoomForBesideWhatIsUsed) {
  Budget budget(1'000'000);
  BatchPool pool(budget, kBody, [] {});
  std::vector<BatchPtr> batches;
  for (int i = 0; i < 3; ++i) batches.push_back(full(pool, budget));
  for (BatchPtr& b : batches) pool.recycle(std::move(b));
  EXPECT_EQ(budget.used(), 0u);
  std::size_t kept = 0;
  for (BatchPtr& b : batches) {
    b = pool.get();
    kept += b->body.capacity() >= kBody ? 1u : 0u;
  }
  EXPECT_EQ(kept, 2u) << "the first one did not fit beside the two that were in use";
  EXPECT_TRUE(budget.keep_spare(1'000'000)) << "none is left";
}

TEST(BatchPool, GivesBackWhatIsNotNeededAnyMore) {
  Budget budget(1'000'000);
  BatchPool pool(budget, kBody, [] {});
  pool.recycle(full(pool, budget));
  EXPECT_TRUE(pool.release_unused());
  EXPECT_FALSE(pool.release_unused());
  EXPECT_TRUE(budget.keep_spare(1'000'000));
}

}  // namespace
}  // namespace sidelight
