// Reference-counted blocks of bytes read from files; records are views into them.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "agent/base/budget.h"
#include "agent/base/spares.h"

namespace sidelight {

class ChunkPool;

// A block of bytes. Views into it live as long as one ChunkRef to it does. simdjson may read kPadding bytes
// past size().
class Chunk {
 public:
  static constexpr std::size_t kPadding = 64;
  char* data() { return data_.get(); }
  const char* data() const { return data_.get(); }
  std::size_t capacity() const { return capacity_; }
  std::size_t size() const { return size_; }
  void set_size(std::size_t n) { size_ = n; }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  friend class ChunkPool;
  friend class ChunkRef;
  Chunk(ChunkPool* pool, std::size_t capacity);
  ChunkPool* pool_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  std::atomic<unsigned> refs_{0};
  std::unique_ptr<char[]> data_;
};

// Shared ownership of a chunk; copy and drop from any thread. The last one hands the chunk back to its pool.
class ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(Chunk* c) : c_(c) {
    if (c_) c_->refs_.fetch_add(1, std::memory_order_relaxed);
  }
  ChunkRef(const ChunkRef& o) : ChunkRef(o.c_) {}
  ChunkRef(ChunkRef&& o) noexcept : c_(o.c_) { o.c_ = nullptr; }
  ChunkRef& operator=(ChunkRef o) noexcept {
    std::swap(c_, o.c_);
    return *this;
  }
  ~ChunkRef();
  Chunk* operator->() const { return c_; }
  Chunk* get() const { return c_; }
  explicit operator bool() const { return c_ != nullptr; }

 private:
  Chunk* c_ = nullptr;
};

// Hands out chunks of at least the size asked for, charged to the budget while anyone holds them, and keeps
// standard-size ones for reuse, so that steady reading touches no fresh pages. Thread-safe; must outlive its
// chunks.
class ChunkPool {
 public:
  ChunkPool(Budget& budget, std::size_t standard_size);
  ChunkRef get(std::size_t at_least);
  std::size_t standard_size() const { return standard_; }
  // Gives the system what nobody needed since the last call. Whether something is still kept.
  bool release_unused();

 private:
  friend class ChunkRef;
  void put_back(Chunk* c);
  Budget& budget_;
  std::size_t standard_;
  std::mutex mutex_;
  Spares<std::unique_ptr<Chunk>> free_;
};

}  // namespace sidelight
