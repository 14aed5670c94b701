#include "agent/pipeline/batch_pool.h"

#include <utility>

namespace sidelight {

BatchPool::BatchPool(Budget& budget, std::size_t keep_capacity, std::function<void()> freed)
    : budget_(budget), keep_capacity_(keep_capacity), freed_(std::move(freed)) {}

BatchPtr BatchPool::get() {
  BatchPtr batch;
  {
    const std::lock_guard lock(mutex_);
    batch = free_.take();
  }
  if (!batch) return std::make_unique<Batch>();
  budget_.drop_spare(batch->memory());
  return batch;
}

void BatchPool::recycle(BatchPtr batch) {
  if (!batch) return;
  budget_.release(batch->charged);
  batch->charged = 0;
  batch->held = 0;
  batch->chunks.clear();
  batch->docs.clear();
  batch->spans.clear();
  batch->arena.clear();
  batch->body.clear();
  batch->durable_seq = 0;
  batch->input_bytes = 0;
  batch->attempted = false;
  if (batch->body.capacity() <= keep_capacity_ && budget_.keep_spare(batch->memory())) {
    const std::lock_guard lock(mutex_);
    free_.put(std::move(batch));
  }
  batch.reset();
  freed_();
}

bool BatchPool::release_unused() {
  std::vector<BatchPtr> unused;
  const std::lock_guard lock(mutex_);
  unused = free_.take_unused();
  for (const BatchPtr& b : unused) budget_.drop_spare(b->memory());
  return free_.size() > 0;
}

}  // namespace sidelight
