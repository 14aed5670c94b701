#include "agent/base/chunk.h"

#include <utility>

namespace sidelight {

Chunk::Chunk(ChunkPool* pool, std::size_t capacity)
    : pool_(pool), capacity_(capacity), data_(new char[capacity + kPadding]) {}

ChunkRef::~ChunkRef() {
  if (c_ && c_->refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) c_->pool_->put_back(c_);
}

ChunkPool::ChunkPool(Budget& budget, std::size_t standard_size, std::size_t keep)
    : budget_(budget), standard_(standard_size), keep_(keep) {}

ChunkRef ChunkPool::get(std::size_t at_least) {
  std::unique_ptr<Chunk> c;
  if (at_least <= standard_) {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      c = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!c) c.reset(new Chunk(this, at_least <= standard_ ? standard_ : at_least));
  c->size_ = 0;
  budget_.charge(c->capacity_);
  return ChunkRef(c.release());
}

void ChunkPool::put_back(Chunk* c) {
  std::unique_ptr<Chunk> owned(c);
  budget_.release(c->capacity_);
  const std::lock_guard lock(mutex_);
  if (c->capacity_ == standard_ && free_.size() < keep_) free_.push_back(std::move(owned));
}

}  // namespace sidelight
