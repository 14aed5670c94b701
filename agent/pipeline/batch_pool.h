// Batches for reuse, so that steady shipping touches no fresh memory.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "agent/base/budget.h"
#include "agent/base/spares.h"
#include "agent/batch/batch.h"
#include "agent/send/output.h"

namespace sidelight {

// Thread-safe. Keeps empty batches with their buffers.
class BatchPool final : public BatchRecycler {
 public:
  // `freed` is called (from any thread) whenever a batch comes back: there may be room in the budget again.
  BatchPool(Budget& budget, std::size_t keep_capacity, std::function<void()> freed);
  BatchPtr get();
  void recycle(BatchPtr batch) override;
  // Gives the system what nobody needed since the last call. Whether something is still kept.
  bool release_unused();

 private:
  Budget& budget_;
  std::size_t keep_capacity_;  // larger buffers are given back to the system
  std::function<void()> freed_;
  std::mutex mutex_;
  Spares<BatchPtr> free_;
};

}  // namespace sidelight
