// One output as the worker sees it: the batch that is being filled for it, and how much memory it holds.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "agent/base/budget.h"
#include "agent/base/chunk.h"
#include "agent/base/clock.h"
#include "agent/batch/encoder.h"
#include "agent/pipeline/batch_pool.h"
#include "agent/send/output.h"

namespace sidelight {

// When a batch goes.
struct BatchLimits {
  std::size_t bytes = 512u << 10;
  std::size_t documents = 10000;
  std::chrono::milliseconds flush_interval{1000};
};

// Belongs to the worker's thread, but for recycle(). The pool and the budget outlive it; it outlives its
// output.
class Outlet final : public BatchRecycler {
 public:
  // `share` is the memory that it may hold before the inputs that feed it wait; 0: the whole budget.
  Outlet(std::string name, BatchPool& pool, Budget& budget, BatchLimits limits, std::size_t share)
      : name_(std::move(name)), pool_(pool), budget_(budget), limits_(limits), share_(share) {}
  ~Outlet() override {
    if (batch_) pool_.recycle(std::move(batch_));
  }
  void connect(Output& output, std::unique_ptr<Encoder> encoder) {
    output_ = &output;
    encoder_ = std::move(encoder);
  }

  bool gone() const { return output_->gone(); }
  const std::string& name() const { return name_; }
  const Encoder& encoder() const { return *encoder_; }
  // The open batch, made if need be.
  Batch& batch(MonoTime now) {
    if (!batch_) batch_ = pool_.get();
    if (batch_->docs.empty()) batch_->opened = now;
    return *batch_;
  }
  bool has_batch() const { return batch_ != nullptr; }
  bool has_documents() const { return batch_ && !batch_->docs.empty(); }
  MonoTime opened() const { return batch_->opened; }
  MonoTime due() const { return batch_->opened + limits_.flush_interval; }

  // A window of bytes is about to be encoded: the first document of it opens a span of its own.
  void begin_window() { span_ = kNoSpan; }
  bool in_window() const { return span_ != kNoSpan; }
  // The batch's span for the window.
  std::uint32_t span(Batch& batch, std::uint64_t ledger_span, const std::shared_ptr<const Source>& source) {
    if (span_ == kNoSpan) {
      batch.spans.push_back({ledger_span, source, 0});
      span_ = static_cast<std::uint32_t>(batch.spans.size() - 1);
    }
    return span_;
  }
  // The documents added since refer to `chunk` (may be null).
  void hold(const ChunkRef& chunk) {
    if (chunk && (batch_->chunks.empty() || batch_->chunks.back().get() != chunk.get()))
      batch_->chunks.push_back(chunk);
  }
  // Charges what the batch has come to hold; true when it has to go.
  bool charge();
  // What framing, parsing and processors took of a batch that has come to hold no document is given back:
  // such a batch never goes.
  void drop_leftovers();
  // Hands the batch over; what it depends on is durable with `durable_seq`. Nothing happens to an empty one.
  void seal(std::uint64_t durable_seq);
  // Whether it holds more than its share.
  bool is_over_share() const { return share_ > 0 && held_.load(std::memory_order_relaxed) > share_; }

  void recycle(BatchPtr batch) override;

 private:
  static constexpr std::uint32_t kNoSpan = UINT32_MAX;
  const std::string name_;
  BatchPool& pool_;
  Budget& budget_;
  const BatchLimits limits_;
  const std::size_t share_;
  Output* output_ = nullptr;
  std::unique_ptr<Encoder> encoder_;
  BatchPtr batch_;
  std::uint32_t span_ = kNoSpan;
  std::atomic<std::size_t> held_{0};  // by batches, the open one included; kept where there is a share
};

}  // namespace sidelight
