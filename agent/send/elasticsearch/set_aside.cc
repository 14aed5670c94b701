#include "agent/send/elasticsearch/set_aside.h"

#include <algorithm>

namespace sidelight {

std::size_t move_documents(Batch& from, std::span<const std::uint32_t> docs, Batch& into) {
  const std::size_t before = into.body.size();
  std::uint32_t last = UINT32_MAX;  // the span of the document before, in `from`
  for (const std::uint32_t i : docs) {
    Doc& old = from.docs[i];
    if (old.span != last) {
      last = old.span;
      const Span& s = from.spans[last];
      into.spans.push_back({.ledger_span = s.ledger_span, .source = s.source, .pending = 0});
    }
    Doc doc = old;
    doc.span = static_cast<std::uint32_t>(into.spans.size() - 1);
    doc.body_begin = static_cast<std::uint32_t>(into.body.size());
    doc.source_begin = doc.body_begin + (old.source_begin - old.body_begin);
    doc.body_end = doc.body_begin + (old.body_end - old.body_begin);
    doc.raw = into.arena.copy(old.raw);
    doc.may_exist = old.may_exist || from.attempted;
    into.body.append(from.body, old.body_begin, old.body_end - old.body_begin);
    into.docs.push_back(doc);
    ++into.spans.back().pending;
    old.settled = true;  // `into` settles it
    --from.spans[last].pending;
  }
  into.durable_seq = std::max(into.durable_seq, from.durable_seq);
  return into.body.size() - before;
}

void charge_batch(Batch& batch, Budget& budget) {
  const std::size_t held = batch.memory();
  if (held <= batch.charged) return;
  budget.charge(held - batch.charged);
  batch.charged = held;
}

}  // namespace sidelight
