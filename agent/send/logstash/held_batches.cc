#include "agent/send/logstash/held_batches.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sidelight {

std::optional<DocRange> HeldBatches::accept(BatchPtr batch) {
  HeldBatch& held = held_.emplace_back();
  held.batch = std::move(batch);
  held.body_bytes = held.batch->body.size();
  held.unsettled = static_cast<std::size_t>(std::count_if(held.batch->docs.begin(), held.batch->docs.end(),
                                                          [](const Doc& d) { return !d.settled; }));
  if (held.unsettled == 0) {
    finish(&held);
    return std::nullopt;
  }
  return DocRange{&held, 0, static_cast<std::uint32_t>(held.batch->docs.size())};
}

Expected<void> HeldBatches::make_durable(HeldBatch& held) {
  if (held.durable) return {};
  if (auto synced = ctx_.barrier.sync_to(held.batch->durable_seq); !synced) return synced;
  held.durable = true;
  return {};
}

DocRange HeldBatches::cut(DocRange& range, std::size_t documents, std::size_t bytes) {
  const std::vector<Doc>& docs = range.batch().docs;
  std::uint32_t end = range.first;
  std::size_t taken = 0;
  std::size_t size = 0;
  for (; end < range.last; ++end) {
    const Doc& d = docs[end];
    if (d.settled) continue;
    const std::size_t more = d.body_end - d.source_begin;
    if (taken > 0 && (taken == documents || size + more > bytes)) break;
    ++taken;
    size += more;
  }
  DocRange front = range;
  front.last = end;
  range.first = end;
  return front;
}

std::uint32_t HeldBatches::count(const DocRange& range) {
  std::uint32_t n = 0;
  range.each([&n](const Doc&) { ++n; });
  return n;
}

std::string_view HeldBatches::text(const Batch& batch, const Doc& doc) {
  std::string_view text = batch.doc_source(doc);
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

std::uint64_t HeldBatches::settle(DocRange& range, std::uint32_t n) {
  Batch& batch = *range.held->batch;
  std::uint64_t bytes = 0;
  while (n > 0 && range.first < range.last) {
    const std::uint32_t i = range.first++;
    const Doc& d = batch.docs[i];
    if (d.settled) continue;
    bytes += d.body_end - d.body_begin;
    batch.settle(i, ctx_.ledger);
    --range.held->unsettled;
    --n;
  }
  if (range.held->unsettled == 0) finish(range.held);
  return bytes;
}

void HeldBatches::finish(HeldBatch* held) {
  const auto it = std::find_if(held_.begin(), held_.end(), [held](const HeldBatch& h) { return &h == held; });
  ctx_.probe.batch_acknowledged(std::chrono::duration<double>(ctx_.clock.now() - it->batch->opened).count());
  recycled_bytes_ += it->body_bytes;
  BatchPtr batch = std::move(it->batch);
  held_.erase(it);
  ctx_.recycler.recycle(std::move(batch));
}

}  // namespace sidelight
