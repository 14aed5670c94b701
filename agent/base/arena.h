// A bump allocator for the bytes of one batch that are not in a chunk (decoded text, joined lines, unescaped
// values).
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace sidelight {

// Not thread-safe. Memory stays valid and in place until clear() or destruction. Every allocation has 64
// readable bytes after it (simdjson's padding).
class Arena {
 public:
  explicit Arena(std::size_t block = 16 * 1024) : block_(block) {}
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  char* allocate(std::size_t n) {
    if (n + kPadding > left_) grow(n + kPadding);
    char* p = next_;
    next_ += n;
    left_ -= n;
    return p;
  }
  // Gives back the unused end of the last allocation.
  void shrink_last(char* p, std::size_t allocated, std::size_t used) {
    if (p + allocated == next_) {
      next_ -= allocated - used;
      left_ += allocated - used;
    }
  }
  std::string_view copy(std::string_view s) {
    if (s.empty()) return {};
    char* p = allocate(s.size());
    std::memcpy(p, s.data(), s.size());
    return {p, s.size()};
  }
  // Bytes held from the system.
  std::size_t capacity() const { return total_; }
  // Forgets everything; keeps the first block for reuse.
  void clear() {
    if (blocks_.size() > 1) blocks_.resize(1);
    total_ = blocks_.empty() ? 0 : blocks_[0].size;
    next_ = blocks_.empty() ? nullptr : blocks_[0].data.get();
    left_ = total_;
  }

 private:
  static constexpr std::size_t kPadding = 64;
  struct Block {
    std::unique_ptr<char[]> data;
    std::size_t size;
  };
  void grow(std::size_t need) {
    const std::size_t size = need > block_ ? need : block_;
    blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    next_ = blocks_.back().data.get();
    left_ = size;
    total_ += size;
  }
  std::size_t block_;
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t total_ = 0;
};

}  // namespace sidelight
