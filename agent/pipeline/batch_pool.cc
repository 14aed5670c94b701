#include "agent/pipeline/batch_pool.h"

#include <utility>

namespace sidelight {

BatchPool::BatchPool(Budget& budget, std::size_t keep, std::size_t keep_capacity, std::function<void()> freed)
    : budget_(budget), keep_(keep), keep_capacity_(keep_capacity), freed_(std::move(freed)) {}

BatchPtr BatchPool::get() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Batch>();
  auto b = std::move(free_.back());
  free_.pop_back();
  return b;
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
  {
    const std::lock_guard lock(mutex_);
    if (free_.size() < keep_ && batch->body.capacity() <= keep_capacity_) free_.push_back(std::move(batch));
  }
  batch.reset();
  freed_();
}

}  // namespace sidelight
