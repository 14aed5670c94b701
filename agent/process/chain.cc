#include "agent/process/chain.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/base/hash.h"

namespace sidelight {
namespace {

// Slots of a saved memory are apart by this; no processor writes it.
constexpr char kBetween = '|';

Expected<ProcessorPtr> make_processor(const ProcessorOptions& o, FileSystem& fs, bool line_decides,
                                      std::string& name) {
  const auto named = [&](const char* n) { name = n; };
  if (o.add) return named("add"), make_add(*o.add);
  if (o.remove) return named("remove"), make_remove(*o.remove);
  if (o.rename) return named("rename"), make_rename(*o.rename);
  if (o.copy) return named("copy"), make_copy(*o.copy);
  if (o.truncate) return named("truncate"), make_truncate(*o.truncate);
  if (o.drop) return named("drop"), make_drop();
  if (o.sample) return named("sample"), make_sample(*o.sample);
  if (o.rate_limit) return named("rate_limit"), make_rate_limit(*o.rate_limit);
  if (o.dedupe) return named("dedupe"), make_dedupe(*o.dedupe);
  if (o.parse) return named("parse"), make_parse_field(*o.parse);
  if (o.redact) return named("redact"), make_redact(*o.redact, fs, line_decides);
  if (o.metadata) return named("metadata"), make_metadata(*o.metadata, fs);
  return fail("a processor without a kind");
}

// What the memory of a rate limiter or a de-duplicator depends on.
std::string fingerprint(const ProcessorOptions& o) {
  std::string out;
  if (o.rate_limit) {
    out = "rate_limit " + std::to_string(o.rate_limit->events) + " " +
          std::to_string(o.rate_limit->per.count());
    for (const auto& f : o.rate_limit->by) out += " " + f;
  } else if (o.dedupe) {
    out = "dedupe " + std::to_string(o.dedupe->within.count());
    for (const auto& f : o.dedupe->fields) out += " " + f;
  }
  return out + ";";
}

}  // namespace

bool ChainMemory::waits() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const auto& s) { return s && s->waits(); });
}

std::string ChainMemory::save() const {
  std::string out = std::to_string(chain_);
  const std::size_t bare = out.size() + slots_.size();
  for (const auto& slot : slots_) {
    out += kBetween;
    if (slot) slot->save(out);
  }
  return out.size() == bare ? std::string() : out;
}

Expected<std::unique_ptr<Chain>> Chain::make(const std::vector<ProcessorOptions>& processors, FileSystem& fs,
                                             const ChainInput& input) {
  auto chain = std::make_unique<Chain>();
  auto zone = TimeZone::load(input.timezone);
  if (!zone) return std::unexpected(zone.error());
  chain->zone_ = std::move(*zone);
  std::string all;
  bool line_decides = input.line_decides;
  for (std::size_t i = 0; i < processors.size(); ++i) {
    Step step;
    auto when = Condition::make(processors[i].when);
    auto processor = make_processor(processors[i], fs, line_decides, step.name);
    const std::string which = "processor " + std::to_string(i + 1) + " (" + step.name + "): ";
    if (!when) return fail(which + when.error().message);
    if (!processor) return fail(which + processor.error().message);
    step.when = std::move(*when);
    step.processor = std::move(*processor);
    line_decides = line_decides && step.processor->keeps_texts();
    chain->has_memory_ = chain->has_memory_ || step.processor->make_memory() != nullptr;
    chain->steps_.push_back(std::move(step));
    all += fingerprint(processors[i]);
  }
  chain->id_ = hash64(all);
  return chain;
}

std::unique_ptr<ChainMemory> Chain::make_memory(std::string_view saved) const {
  auto memory = std::make_unique<ChainMemory>();
  memory->chain_ = id_;
  for (const Step& s : steps_) memory->slots_.push_back(s.processor->make_memory());
  const std::string id = std::to_string(id_);
  if (!saved.starts_with(id + kBetween)) return memory;
  saved.remove_prefix(id.size());
  for (auto& slot : memory->slots_) {
    if (saved.empty() || saved.front() != kBetween) break;
    saved.remove_prefix(1);
    const std::string_view part = saved.substr(0, saved.find(kBetween));
    saved.remove_prefix(part.size());
    if (slot && !part.empty()) slot->load(part);
  }
  return memory;
}

Chain::Outcome Chain::process(Record& record, const EventContext& context, ChainMemory* memory,
                              std::vector<PendingSummary>& summaries) {
  return run(0, record, context, memory, summaries);
}

Chain::Outcome Chain::run(std::size_t from, Record& record, const EventContext& context, ChainMemory* memory,
                          std::vector<PendingSummary>& summaries) {
  for (std::size_t i = from; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (!step.when.holds(record, context)) continue;
    ProcessorMemory* const slot = memory != nullptr ? memory->slots_[i].get() : nullptr;
    const Verdict verdict = step.processor->process(record, context, slot, made_);
    for (Summary& s : made_) summaries.push_back({i, std::move(s)});
    made_.clear();
    if (verdict != Verdict::keep) return {verdict, i};
  }
  return {};
}

void Chain::idle(ChainMemory& memory, std::int64_t idle_ns, bool last,
                 std::vector<PendingSummary>& summaries) {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!memory.slots_[i]) continue;
    steps_[i].processor->idle(*memory.slots_[i], idle_ns, last, made_);
    for (Summary& s : made_) summaries.push_back({i, std::move(s)});
    made_.clear();
  }
}

bool Chain::finish_summary(const PendingSummary& pending, const EventContext& context, Event& event,
                           Record& record) {
  const Summary& s = pending.summary;
  event = {};
  event.begin = s.begin;
  event.end = s.end;
  event.lane = s.lane;
  record.clear();
  record.event = &event;
  record.timestamp_ns = s.time_ns;
  record.level = "info";
  record.message = context.arena.copy(s.message);
  for (const auto& [key, value] : s.labels)
    record.labels.push_back({context.arena.copy(key), context.arena.copy(value), ValueKind::text});
  // Without a memory: a summary is neither limited nor a repetition.
  std::vector<PendingSummary> none;
  return run(pending.maker + 1, record, context, nullptr, none).verdict == Verdict::keep;
}

}  // namespace sidelight
