#include "agent/base/chunk.h"

#include <utility>

namespace sidelight {

Chunk::Chunk(ChunkPool* pool, std::size_t capacity)
    : pool_(pool), capacity_(capacity), data_(new char[capacity + kPadding]) {}

ChunkRef::~ChunkRef() {
  if (c_ && c_->refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) c_->pool_->put_back(c_);
}

ChunkPool::ChunkPool(Budget& budget, std::size_t standard_size) : budget_(budget), standard_(standard_size) {}

ChunkRef ChunkPool::get(std::size_t at_least) {
  std::unique_ptr<Chunk> c;
  if (at_least <= standard_) {
    const std::lock_guard lock(mutex_);
    c = free_.take();
  }
  if (c) budget_.drop_spare(c->capacity_);
  if (!c) c.reset(new Chunk(this, at_least <= standard_ ? standard_ : at_least));
  c->size_ = 0;
  budget_.charge(c->capacity_);
  return ChunkRef(c.release());
}

void ChunkPool::put_back(Chunk* c) {
  std::unique_ptr<Chunk> owned(c);
  budget_.release(c->capacity_);
  if (c->capacity_ != standard_ || !budget_.keep_spare(standard_)) return;
  const std::lock_guard lock(mutex_);
  free_.put(std::move(owned));
}

bool ChunkPool::release_unused() {
  std::vector<std::unique_ptr<Chunk>> unused;
  const std::lock_guard lock(mutex_);
  unused = free_.take_unused();
  budget_.drop_spare(unused.size() * standard_);
  return free_.size() > 0;
}

}  // namespace sidelight
