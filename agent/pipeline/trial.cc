#include "agent/pipeline/trial.h"

#include <algorithm>

#include "agent/pipeline/inputs.h"

namespace sidelight {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kPadding = 64;  // parsers look a little beyond a line's end

const char* reason(Verdict verdict) {
  switch (verdict) {
    case Verdict::sampled:
      return "sampled";
    case Verdict::rate_limited:
      return "over the rate";
    case Verdict::duplicate:
      return "repeats the event before";
    default:
      return "by its rule";
  }
}

class Trial {
 public:
  Trial(const Settings& settings, WorkerInput input, const Clock& clock,
        const std::function<void(const TrialResult&)>& show)
      : input_(std::move(input)), clock_(clock), show_(show) {
    for (const OutputSettings* o : settings.all_outputs())
      outputs_.push_back(o->name.empty() ? "output" : o->name);
    DocConstants constants = input_.constants;
    input_.known = {constants.service, constants.fields, constants.labels};
    constants.path = source_.path;
    template_ = encoder_->prepare(constants);
    if (input_.chain) memory_ = input_.chain->make_memory("");
    batch_.spans.emplace_back();
  }

  Expected<void> run(const std::function<Expected<std::size_t>(char*, std::size_t)>& read) {
    FramePosition position;
    std::string buffer;  // from position.low() on
    for (bool end = false; !end;) {
      const std::size_t had = buffer.size();
      buffer.resize(had + kReadBytes);
      const auto n = read(buffer.data() + had, kReadBytes);
      if (!n) return std::unexpected(n.error());
      buffer.resize(had + *n);
      end = *n == 0;
      buffer.reserve(buffer.size() + kPadding);
      FrameInput in;
      in.bytes = buffer;
      in.offset = position.low();
      in.from = position;
      in.cut_at_end = end;
      events_.clear();
      batch_.arena.clear();
      FrameStats stats;
      const FramePosition after = input_.framer->frame(in, batch_.arena, events_, stats);
      for (const Event& e : events_) {
        count_lines(buffer, in.offset, e.begin);
        one(e);
      }
      count_lines(buffer, in.offset, after.low());
      buffer.erase(0, static_cast<std::size_t>(after.low() - position.low()));
      position = after;
    }
    if (memory_) {
      input_.chain->idle(*memory_, 0, true, summaries_);
      show_summaries();
    }
    return {};
  }

 private:
  EventContext context_at(std::int64_t time_ns) {
    return {batch_.arena, time_ns,      clock_.wall(), input_.chain ? &input_.chain->zone() : nullptr,
            source_.key,  &input_.known};
  }

  void count_lines(const std::string& buffer, std::uint64_t offset, std::uint64_t until) {
    if (until <= counted_to_) return;
    const auto at = [&](std::uint64_t place) {
      const std::uint64_t inside = std::clamp<std::uint64_t>(place, offset, offset + buffer.size()) - offset;
      return buffer.begin() + static_cast<std::ptrdiff_t>(inside);
    };
    line_ += static_cast<std::uint64_t>(std::count(at(counted_to_), at(until), '\n'));
    counted_to_ = until;
  }

  void one(const Event& event) {
    Record record;
    input_.parser->parse(event, clock_.wall(), batch_.arena, record);
    record.event = &event;
    const EventContext context = context_at(record.timestamp_ns.value_or(clock_.wall()));
    Chain::Outcome outcome;
    if (input_.chain) outcome = input_.chain->process(record, context, memory_.get(), summaries_);
    if (outcome.verdict == Verdict::keep) {
      show_document(record, context, line_);
    } else {
      TrialResult r;
      r.line = line_;
      r.text = record.event->text;
      r.complaint = record.complaint();
      r.dropped_by = "processor " + std::to_string(outcome.processor + 1) + " (" +
                     input_.chain->name(outcome.processor) + ")";
      r.why = reason(outcome.verdict);
      show_(r);
    }
    show_summaries();
  }

  void show_document(const Record& record, const EventContext& context, std::uint64_t line) {
    batch_.body.clear();
    batch_.docs.clear();
    encoder_->append(record, *template_, source_, context.time_ns, 0, batch_);
    TrialResult r;
    r.line = line;
    r.text = batch_.docs.back().raw;
    r.document = batch_.doc_source(batch_.docs.back());
    r.document.remove_suffix(1);
    r.complaint = record.complaint();
    const OutletSet chosen = input_.routing.choose(record, context);
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      if ((chosen >> i & 1) != 0) r.outputs.push_back(outputs_[i]);
    show_(r);
  }

  void show_summaries() {
    for (const PendingSummary& p : summaries_) {
      Event event;
      Record record;
      const EventContext context = context_at(p.summary.time_ns);
      if (input_.chain->finish_summary(p, context, event, record)) show_document(record, context, 0);
    }
    summaries_.clear();
  }

  WorkerInput input_;
  const Clock& clock_;
  const std::function<void(const TrialResult&)>& show_;
  std::vector<std::string> outputs_;
  std::unique_ptr<Encoder> encoder_ = make_encoder({BulkShape::ndjson, false, {}});
  const Source source_{0, "/dev/stdin", "AAAAAAAAAAAAAAAAAAAAAA"};
  std::unique_ptr<DocTemplate> template_;
  std::unique_ptr<ChainMemory> memory_;
  Batch batch_;
  std::vector<Event> events_;
  std::vector<PendingSummary> summaries_;
  std::uint64_t line_ = 1;
  std::uint64_t counted_to_ = 0;
};

}  // namespace

Expected<void> run_trial(const Settings& settings, std::size_t input, FileSystem& fs, const Clock& clock,
                         const std::function<Expected<std::size_t>(char*, std::size_t)>& read,
                         const std::function<void(const TrialResult&)>& show) {
  auto inputs = make_inputs(settings, fs);
  if (!inputs) return std::unexpected(inputs.error());
  if (input >= inputs->size()) return fail("there is no such log input");
  return Trial(settings, std::move((*inputs)[input]), clock, show).run(read);
}

}  // namespace sidelight
