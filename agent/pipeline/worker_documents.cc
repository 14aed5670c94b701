// The worker's side of documents: parsing, processors, routes, batches.
#include <algorithm>
#include <array>

#include "agent/pipeline/worker.h"

namespace sidelight {
namespace {

constexpr std::size_t kTemplatesKept = 512;  // a few KiB each; making one costs a few microseconds

DropReason reason_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::sampled:
      return DropReason::sampled;
    case Verdict::rate_limited:
      return DropReason::rate_limited;
    case Verdict::duplicate:
      return DropReason::duplicate;
    default:
      return DropReason::rule;
  }
}

}  // namespace

// Returns how many batches hold documents of the window.
std::size_t Worker::write_documents(Stream& s, const std::vector<Event>& events, std::uint64_t ledger_span) {
  for (Outlet* o : outlets_) o->begin_window();
  const WorkerInput& input = inputs_[s.file->input];
  const std::int64_t now = ctx_.clock.wall();
  if (outlets_.size() == 1 && !input.chain) {
    write_plainly(s, events, ledger_span, now);
  } else {
    write_processed(s, events, ledger_span, now);
  }
  if (s.unsaved) unsaved_.insert(&s);
  return end_window();
}

const DocTemplate& Worker::template_for(Stream& s, std::size_t outlet) {
  if (s.doc_templates.empty()) {
    s.doc_templates.resize(outlets_.size());
    with_template_.push_back(s.id);
    if (with_template_.size() > kTemplatesKept) {
      const auto oldest = streams_.find(with_template_.front());
      if (oldest != streams_.end() && oldest->second.get() != &s) oldest->second->doc_templates.clear();
      with_template_.pop_front();
    }
  }
  auto& made = s.doc_templates[outlet];
  if (!made) {
    DocConstants constants = inputs_[s.file->input].constants;
    constants.path = s.source->path;
    made = outlets_[outlet]->encoder().prepare(constants);
  }
  return *made;
}

void Worker::write_plainly(Stream& s, const std::vector<Event>& events, std::uint64_t ledger_span,
                           std::int64_t now) {
  Parser& parser = *inputs_[s.file->input].parser;
  Outlet& outlet = *outlets_.front();
  const Encoder& encoder = outlet.encoder();
  Batch& batch = outlet.batch(ctx_.clock.now());
  const std::uint32_t span = outlet.span(batch, ledger_span, s.source);
  const DocTemplate& doc_template = template_for(s, 0);
  std::uint64_t parse_errors = 0;
  for (const Event& e : events) {
    parser.parse(e, now, batch.arena, record_);
    record_.event = &e;
    if (!record_.complaint().empty()) ++parse_errors;
    const std::int64_t fallback = record_.timestamp_ns ? 0 : s.fallback_time(e.begin, now);
    encoder.append(record_, doc_template, *s.source, fallback, span, batch);
    if (e.begin < s.replay_until) batch.docs.back().may_exist = true;
  }
  if (parse_errors > 0) ctx_.probe.parse_errors(s.file->input, parse_errors);
}

void Worker::write_processed(Stream& s, const std::vector<Event>& events, std::uint64_t ledger_span,
                             std::int64_t now) {
  const WorkerInput& input = inputs_[s.file->input];
  Arena& arena = outlets_.size() == 1 ? outlets_.front()->batch(ctx_.clock.now()).arena : scratch_;
  ChainMemory* const memory = memory_of(s);
  EventContext context{arena,         0,           now, input.chain ? &input.chain->zone() : nullptr,
                       s.source->key, &input.known};
  std::uint64_t parse_errors = 0;
  std::array<std::uint64_t, kDropReasons> dropped{};
  for (const Event& e : events) {
    input.parser->parse(e, now, arena, record_);
    record_.event = &e;
    if (!record_.complaint().empty()) ++parse_errors;
    context.time_ns = record_.timestamp_ns ? *record_.timestamp_ns : s.fallback_time(e.begin, now);
    if (input.chain) {
      const auto outcome = input.chain->process(record_, context, memory, summaries_);
      if (!record_.timestamp_ns) record_.timestamp_ns = context.time_ns;
      if (outcome.verdict == Verdict::keep) {
        deliver(s, record_, context, ledger_span);
      } else {
        ++dropped.at(static_cast<std::size_t>(reason_of(outcome.verdict)));
      }
      if (!summaries_.empty()) deliver_summaries(s, context, ledger_span);
    } else {
      record_.timestamp_ns = context.time_ns;
      deliver(s, record_, context, ledger_span);
    }
  }
  if (memory != nullptr) {
    s.last_event = ctx_.clock.now();
    save_memory(s);
  }
  if (parse_errors > 0) ctx_.probe.parse_errors(s.file->input, parse_errors);
  for (std::size_t i = 0; i < dropped.size(); ++i)
    if (dropped.at(i) > 0) ctx_.probe.dropped(s.file->input, dropped.at(i), static_cast<DropReason>(i));
  scratch_.clear();
}

void Worker::deliver(Stream& s, const Record& record, const EventContext& context,
                     std::uint64_t ledger_span) {
  const bool one = outlets_.size() == 1;
  const OutletSet chosen = one ? 1 : inputs_[s.file->input].routing.choose(record, context);
  for (std::size_t i = 0; i < outlets_.size(); ++i) {
    if ((chosen >> i & 1) == 0) continue;
    Outlet& outlet = *outlets_[i];
    Batch& batch = outlet.batch(ctx_.clock.now());
    const std::uint32_t span = outlet.span(batch, ledger_span, s.source);
    outlet.encoder().append(record, template_for(s, i), *s.source, context.time_ns, span, batch);
    Doc& doc = batch.docs.back();
    if (record.event->begin < s.replay_until) doc.may_exist = true;
    if (one) continue;
    // The scratch memory is of this window only; the chunk is held by each batch that refers to it.
    const bool in_chunk =
        chunk_ && doc.raw.data() >= chunk_->data() && doc.raw.data() < chunk_->data() + chunk_->capacity();
    if (!in_chunk) doc.raw = batch.arena.copy(doc.raw);
  }
}

void Worker::deliver_summaries(Stream& s, EventContext context, std::uint64_t ledger_span) {
  Chain& chain = *inputs_[s.file->input].chain;
  Event event;
  for (const PendingSummary& p : summaries_) {
    context.time_ns = p.summary.time_ns;
    if (chain.finish_summary(p, context, event, record_)) deliver(s, record_, context, ledger_span);
  }
  summaries_.clear();
}

ChainMemory* Worker::memory_of(Stream& s) {
  const WorkerInput& input = inputs_[s.file->input];
  if (!input.chain || !input.chain->has_memory()) return nullptr;
  if (!s.memory) s.memory = input.chain->make_memory(s.saved_memory ? std::string_view(*s.saved_memory) : "");
  return s.memory.get();
}

void Worker::save_memory(Stream& s) {
  std::string now = s.memory->save();
  if (!s.saved_memory || *s.saved_memory != now)
    s.saved_memory = std::make_shared<const std::string>(std::move(now));
  if (s.memory->waits()) {
    waiting_.insert(&s);
  } else {
    waiting_.erase(&s);
  }
}

// Returns the number of batches with documents of the window.
std::size_t Worker::end_window() {
  std::size_t parts = 0;
  for (Outlet* o : outlets_) {
    if (!o->in_window()) continue;
    ++parts;
    o->hold(chunk_);
  }
  return parts;
}

// Summaries of what was dropped go out although no event follows: after a while, or when the end has come.
void Worker::check_waiting(MonoTime now, bool last) {
  for (Stream* s : std::vector<Stream*>(waiting_.begin(), waiting_.end())) {
    const WorkerInput& input = inputs_[s->file->input];
    ChainMemory* const memory = memory_of(*s);
    input.chain->idle(*memory, (now - s->last_event).count(), last, summaries_);
    if (summaries_.empty()) continue;
    const auto ledger_span = ctx_.ledger.open(s->id, now);
    for (Outlet* o : outlets_) o->begin_window();
    Arena& arena = outlets_.size() == 1 ? outlets_.front()->batch(now).arena : scratch_;
    deliver_summaries(*s, {arena, 0, ctx_.clock.wall(), &input.chain->zone(), s->source->key, &input.known},
                      ledger_span);
    save_memory(*s);
    ctx_.ledger.close(ledger_span, s->stand(s->file->tail), end_window());
    active_.insert(s);
    scratch_.clear();
  }
}

void Worker::seal() {
  for (Outlet* o : outlets_) seal(*o);
}

void Worker::seal(Outlet& outlet) {
  if (!outlet.has_documents()) return;
  save_unsaved();
  outlet.seal(saved_seq_);
}

void Worker::seal_if_due(MonoTime now) {
  for (Outlet* o : outlets_)
    if (o->has_documents() && now >= o->due()) seal(*o);
}

// Inputs that must not be read now: their dead letters are full, or an output that they feed holds its share.
std::set<std::uint32_t> Worker::passed_over() {
  std::set<std::uint32_t> inputs = paused();
  OutletSet full = 0;
  for (std::size_t i = 0; outlets_.size() > 1 && i < outlets_.size(); ++i) {
    if (!outlets_[i]->is_over_share()) continue;
    seal(*outlets_[i]);  // what is gathered must not wait for room that it takes up itself
    full |= OutletSet{1} << i;
  }
  for (std::uint32_t i = 0; full != 0 && i < inputs_.size(); ++i)
    if ((inputs_[i].routing.all() & full) != 0) inputs.insert(i);
  return inputs;
}

}  // namespace sidelight
