#include "agent/send/elasticsearch/compressor.h"

#include <libdeflate.h>

#include <algorithm>
#include <utility>

namespace sidelight {
namespace {
constexpr std::size_t kKeep = 2;
}

GzipBuffer::GzipBuffer(Budget& budget, std::unique_ptr<char[]> data, std::size_t capacity)
    : budget_(&budget), data_(std::move(data)), capacity_(capacity) {
  budget.charge(capacity);
}

GzipBuffer::GzipBuffer(GzipBuffer&& o) noexcept {
  *this = std::move(o);
}

GzipBuffer& GzipBuffer::operator=(GzipBuffer&& o) noexcept {
  std::swap(budget_, o.budget_);
  std::swap(data_, o.data_);
  std::swap(capacity_, o.capacity_);
  std::swap(size_, o.size_);
  return *this;
}

GzipBuffer::~GzipBuffer() {
  if (budget_ != nullptr) budget_->release(capacity_);
}

void Compressor::Free::operator()(libdeflate_compressor* c) const {
  libdeflate_free_compressor(c);
}

Compressor::Compressor(Budget& budget, int level) : budget_(budget), level_(std::clamp(level, 1, 12)) {}
Compressor::~Compressor() = default;

Expected<GzipBuffer> Compressor::compress(std::string_view body) {
  if (!compressor_) compressor_.reset(libdeflate_alloc_compressor(level_));
  if (!compressor_) return fail("no memory for the compressor");
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor_.get(), body.size());
  Kept use{nullptr, 0};
  const auto fits =
      std::find_if(kept_.begin(), kept_.end(), [bound](const Kept& k) { return k.capacity >= bound; });
  if (fits != kept_.end()) {
    use = std::move(*fits);
    kept_.erase(fits);
  } else {
    use = {std::unique_ptr<char[]>(new char[bound]), bound};
  }
  GzipBuffer out(budget_, std::move(use.data), use.capacity);
  out.size_ =
      libdeflate_gzip_compress(compressor_.get(), body.data(), body.size(), out.data_.get(), out.capacity_);
  if (out.size_ == 0)
    return fail("the compressor gave nothing for " + std::to_string(body.size()) + " bytes");
  return out;
}

void Compressor::give_back(GzipBuffer buffer) {
  if (buffer.data_ && kept_.size() < kKeep) kept_.push_back({std::move(buffer.data_), buffer.capacity_});
}

void Compressor::trim() {
  kept_.clear();
  kept_.shrink_to_fit();
  compressor_.reset();
}

}  // namespace sidelight
