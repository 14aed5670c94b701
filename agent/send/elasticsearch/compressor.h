// gzip of request bodies with libdeflate.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "agent/base/budget.h"
#include "agent/base/error.h"

struct libdeflate_compressor;

namespace sidelight {

// A compressed body. Its memory is charged to the budget from compress() until destruction.
class GzipBuffer {
 public:
  GzipBuffer() = default;
  GzipBuffer(Budget& budget, std::unique_ptr<char[]> data, std::size_t capacity);
  GzipBuffer(GzipBuffer&& o) noexcept;
  GzipBuffer& operator=(GzipBuffer&& o) noexcept;
  ~GzipBuffer();

  std::string_view view() const { return {data_.get(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  friend class Compressor;
  Budget* budget_ = nullptr;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

// One thread. Keeps at most two used buffers, so that steady sending touches no fresh pages; trim() lets them
// go.
class Compressor {
 public:
  Compressor(Budget& budget, int level);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // The gzip form (RFC 1952) of `body`. Fails only for want of memory.
  Expected<GzipBuffer> compress(std::string_view body);
  // Takes a buffer that is no longer needed.
  void give_back(GzipBuffer buffer);
  // Frees everything that is kept for reuse, the compressor's own tables included.
  void trim();

 private:
  struct Free {
    void operator()(libdeflate_compressor* c) const;
  };
  Budget& budget_;
  int level_;
  std::unique_ptr<libdeflate_compressor, Free> compressor_;  // made at first use
  struct Kept {
    std::unique_ptr<char[]> data;
    std::size_t capacity;
  };
  std::vector<Kept> kept_;
};

}  // namespace sidelight
