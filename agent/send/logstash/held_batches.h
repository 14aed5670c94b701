// The batches of an output that settles documents in order, a range at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include "agent/base/error.h"
#include "agent/send/output.h"

namespace sidelight {

// A batch with unsettled documents.
struct HeldBatch {
  BatchPtr batch;
  std::size_t unsettled = 0;
  std::size_t body_bytes = 0;
  bool durable = false;
};

// The documents [first, last) of a batch that are not settled yet.
struct DocRange {
  HeldBatch* held = nullptr;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  unsigned attempts = 0;  // that ended without any of them being acknowledged

  const Batch& batch() const { return *held->batch; }
  // Calls `use` with each unsettled document.
  template <class F>
  void each(F use) const {
    for (std::uint32_t i = first; i < last; ++i) {
      if (const Doc& d = batch().docs[i]; !d.settled) use(d);
    }
  }
};

// One thread. The context's references outlive it.
class HeldBatches {
 public:
  explicit HeldBatches(const OutputContext& context) : ctx_(context) {}

  // All of its documents; nothing when none is unsettled.
  std::optional<DocRange> accept(BatchPtr batch);
  // A replay after a crash must make the same documents with the same ids, so what decides them is on disk
  // before any is sent.
  Expected<void> make_durable(HeldBatch& held);
  // Cuts documents off the front of `range`, which is not empty: at least one, else at most `documents` and
  // `bytes` of bodies.
  static DocRange cut(DocRange& range, std::size_t documents, std::size_t bytes);
  static std::uint32_t count(const DocRange& range);
  static std::string_view text(const Batch& batch, const Doc& doc);
  // Settles the first `n` unsettled ones and moves range.first past them. Returns the bytes of their bodies.
  // The batch is handed back when nothing of it is left: then every range of it is empty.
  std::uint64_t settle(DocRange& range, std::uint32_t n);

  bool empty() const { return held_.empty(); }
  std::size_t recycled_bytes() const { return recycled_bytes_; }

 private:
  void finish(HeldBatch* held);

  OutputContext ctx_;
  std::list<HeldBatch> held_;
  std::size_t recycled_bytes_ = 0;
};

}  // namespace sidelight
