// Drop and sample.
#include <cmath>

#include "agent/base/hash.h"
#include "agent/base/number.h"
#include "agent/parse/level.h"
#include "agent/process/event_field.h"
#include "agent/process/processor.h"

namespace sidelight {
namespace {

class Drop final : public Processor {
 public:
  Verdict process(Record& /*record*/, const EventContext& /*context*/, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    return Verdict::drop;
  }
};

// A share of 64-bit numbers: a hash below it is kept. What a smaller share keeps a larger one keeps too.
struct Share {
  std::uint64_t below = 0;
  bool all = false;
  bool keeps(std::uint64_t hash) const { return all || hash < below; }
};

Share share_of(double keep) {
  if (keep >= 1) return {0, true};
  return {static_cast<std::uint64_t>(std::ldexp(std::max(keep, 0.0), 64)), false};
}

class Sample final : public Processor {
 public:
  explicit Sample(double keep) : rest_(share_of(keep)) {}
  void add_level(std::string_view level, double keep) { levels_.emplace_back(level, share_of(keep)); }

  Verdict process(Record& record, const EventContext& context, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    const Share* share = &rest_;
    for (const auto& [level, s] : levels_)
      if (level == record.level) share = &s;
    if (share->all) return Verdict::keep;
    return share->keeps(number_of(record, context)) ? Verdict::keep : Verdict::sampled;
  }

 private:
  // By the trace, so that a trace is kept whole whichever service logs it; else by the event's own identity,
  // which a replay gives it again.
  std::uint64_t number_of(const Record& record, const EventContext& context) const {
    if (const auto trace = trace_.text(record, context); trace && !trace->empty()) return hash64(*trace);
    const std::uint64_t place[2] = {hash64(context.key), record.event->begin};
    return hash64({reinterpret_cast<const char*>(place), sizeof place});
  }

  Share rest_;
  std::vector<std::pair<std::string_view, Share>> levels_;
  EventField trace_{"trace.id"};
};

}  // namespace

ProcessorPtr make_drop() {
  return std::make_unique<Drop>();
}

Expected<ProcessorPtr> make_sample(const SampleOptions& options) {
  auto sample = std::make_unique<Sample>(options.keep);
  for (const auto& [level, share] : options.levels) {
    const auto keep = parse_number(share);
    if (!keep || *keep < 0 || *keep > 1)
      return fail("levels." + level + ": '" + share + "' is no number from 0 to 1");
    const std::string_view known = level == "none" ? std::string_view{} : normalise_level(level);
    if (known.empty() && level != "none") return fail("levels: '" + level + "' is no level");
    sample->add_level(known, *keep);
  }
  return sample;
}

}  // namespace sidelight
