#include "agent/pipeline/outlet.h"

#include <utility>

namespace sidelight {

bool Outlet::charge() {
  Batch& b = *batch_;
  const std::size_t own = b.body.capacity() + b.arena.capacity() + b.docs.capacity() * sizeof(Doc);
  if (own > b.charged) {
    budget_.charge(own - b.charged);
    b.charged = own;
  }
  if (share_ > 0) {
    std::size_t all = b.charged;
    for (const ChunkRef& c : b.chunks) all += c->capacity();
    held_ += all - b.held;
    b.held = all;
  }
  return b.body.size() >= limits_.bytes || b.docs.size() >= limits_.documents;
}

void Outlet::seal(std::uint64_t durable_seq) {
  if (!has_documents()) return;
  batch_->durable_seq = durable_seq;
  output_->submit(std::move(batch_));
  batch_.reset();
}

void Outlet::recycle(BatchPtr batch) {
  if (!batch) return;
  if (share_ > 0) held_ -= batch->held;
  pool_.recycle(std::move(batch));
}

}  // namespace sidelight
