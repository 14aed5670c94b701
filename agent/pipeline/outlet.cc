#include "agent/pipeline/outlet.h"

#include <algorithm>
#include <utility>

namespace sidelight {
namespace {

// From here on a body is taken to become a full one, and gets its room at once: growing by doubling copies it
// again and again. Room that stays untouched costs no memory.
constexpr std::size_t kBusyBytes = 64u << 10;

}  // namespace

bool Outlet::charge() {
  Batch& b = *batch_;
  if (b.body.size() > kBusyBytes && b.body.capacity() < limits_.bytes)
    b.body.reserve(std::min(limits_.bytes + limits_.bytes / 4, budget_.cap() / 4));
  const std::size_t own = b.memory();
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

void Outlet::drop_leftovers() {
  if (!batch_ || !batch_->docs.empty()) return;
  Batch& b = *batch_;
  b.arena.clear();
  b.chunks.clear();
  const std::size_t own = b.memory();
  if (own < b.charged) {
    budget_.release(b.charged - own);
    b.charged = own;
  }
  if (share_ > 0) {
    held_ -= b.held - std::min(b.held, b.charged);
    b.held = std::min(b.held, b.charged);
  }
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
