// One byte budget for everything that the log path holds in memory: chunks read, bodies built, bodies in
// flight, and what of them is kept for reuse. Reading stops when it is used up (the file is the buffer);
// nothing that is already accepted ever waits for it.
#pragma once

#include <atomic>
#include <cstddef>

namespace sidelight {

// Thread-safe, lock-free. The cap may be passed by at most one charge() (see there).
class Budget {
 public:
  explicit Budget(std::size_t cap) : cap_(cap) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // True while new input may be read.
  bool has_room() const { return used_.load(std::memory_order_relaxed) < cap_; }
  // Always succeeds: what has been read must be carried on with. The caller asks has_room() before it reads.
  void charge(std::size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void release(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  // Whether so many bytes that nobody uses may be kept for reuse; then drop_spare() must follow once they are
  // used, or given back. They keep nobody from reading: they make room as others come back.
  bool keep_spare(std::size_t bytes) {
    if (used() + spare_.load(std::memory_order_relaxed) + bytes > cap()) return false;
    spare_.fetch_add(bytes, std::memory_order_relaxed);
    return true;
  }
  void drop_spare(std::size_t bytes) { spare_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t cap() const { return cap_.load(std::memory_order_relaxed); }
  void set_cap(std::size_t cap) { cap_.store(cap, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> spare_{0};
  std::atomic<std::size_t> cap_;
};

}  // namespace sidelight
