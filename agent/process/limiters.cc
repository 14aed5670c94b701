// Rate limit and de-duplicate: what is let through depends on what came before in the same file.
//
// Both go by the events' own times, never by the clock, and what they remember is saved with the file's
// position, so that a replay drops what the first run dropped. A summary bears the place of the first event
// that it stands for.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "agent/base/hash.h"
#include "agent/process/event_field.h"
#include "agent/process/processor.h"

namespace sidelight {
namespace {

constexpr std::size_t kMostKeys = 256;  // of one rate limiter in one file; further ones share the last

std::uint64_t key_of(const std::vector<EventField>& by, const Record& record, const EventContext& context) {
  std::uint64_t key = 0;
  for (const EventField& f : by) {
    const auto text = f.text(record, context);
    const std::uint64_t both[2] = {key, text ? hash64(*text) : 1};
    key = hash64({reinterpret_cast<const char*>(both), sizeof both});
  }
  return key;
}

// The first event that was dropped, whose place a summary takes.
struct Dropped {
  std::uint64_t count = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint8_t lane = 0;
  std::int64_t time_ns = 0;

  void add(const Record& record, const EventContext& context) {
    if (count++ > 0) return;
    begin = record.event->begin;
    end = record.event->end;
    lane = record.event->lane;
    time_ns = context.time_ns;
  }
  Summary summary(std::string message, std::string_view kind) const {
    return {begin,
            end,
            lane,
            time_ns,
            std::move(message),
            {{"sidelight.summary", std::string(kind)}, {"sidelight.suppressed", std::to_string(count)}}};
  }
};

// Numbers with blanks between, as text.
void save_number(std::string& out, std::uint64_t v) {
  if (!out.empty() && out.back() != '|') out += ' ';
  out += std::to_string(v);
}

class NumberReader {
 public:
  explicit NumberReader(std::string_view text) : text_(text) {}
  std::uint64_t next() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
    std::uint64_t v = 0;
    const auto r = std::from_chars(text_.data(), text_.data() + text_.size(), v);
    good_ = good_ && r.ec == std::errc();
    text_.remove_prefix(static_cast<std::size_t>(r.ptr - text_.data()));
    return v;
  }
  bool good() const { return good_; }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
  bool good_ = true;
};

void save_dropped(std::string& out, const Dropped& d) {
  save_number(out, d.count);
  if (d.count == 0) return;
  for (const std::uint64_t v : {d.begin, d.end, std::uint64_t{d.lane}, static_cast<std::uint64_t>(d.time_ns)})
    save_number(out, v);
}

Dropped load_dropped(NumberReader& in) {
  Dropped d;
  d.count = in.next();
  if (d.count == 0) return d;
  d.begin = in.next();
  d.end = in.next();
  d.lane = static_cast<std::uint8_t>(in.next());
  d.time_ns = static_cast<std::int64_t>(in.next());
  return d;
}

// -- rate limit
// ---------------------------------------------------------------------------------------------------

struct RateMemory final : ProcessorMemory {
  struct Key {
    std::uint64_t key = 0;
    std::uint64_t passed = 0;
    Dropped dropped;
  };
  std::int64_t window = 0;  // number of the window since 1970; later ones follow, earlier events count to it
  std::vector<Key> keys;    // of this window

  void save(std::string& out) const override {
    if (keys.empty()) return;
    save_number(out, static_cast<std::uint64_t>(window));
    for (const Key& k : keys) {
      save_number(out, k.key);
      save_number(out, k.passed);
      save_dropped(out, k.dropped);
    }
  }
  bool load(std::string_view saved) override {
    NumberReader in(saved);
    window = static_cast<std::int64_t>(in.next());
    while (in.good() && !in.at_end() && keys.size() < kMostKeys) {
      Key& k = keys.emplace_back();
      k.key = in.next();
      k.passed = in.next();
      k.dropped = load_dropped(in);
    }
    if (in.good() && in.at_end()) return true;
    keys.clear();
    return false;
  }
  bool waits() const override {
    return std::any_of(keys.begin(), keys.end(), [](const Key& k) { return k.dropped.count > 0; });
  }
};

class RateLimit final : public Processor {
 public:
  explicit RateLimit(const RateLimitOptions& options)
      : most_(static_cast<std::uint64_t>(options.events)), window_ns_(options.per.count() * 1'000'000) {
    for (const std::string& f : options.by) by_.emplace_back(f);
  }
  std::unique_ptr<ProcessorMemory> make_memory() const override { return std::make_unique<RateMemory>(); }

  Verdict process(Record& record, const EventContext& context, ProcessorMemory* memory,
                  std::vector<Summary>& summaries) override {
    if (memory == nullptr) return Verdict::keep;
    auto& m = static_cast<RateMemory&>(*memory);
    const std::int64_t window = context.time_ns / window_ns_;
    if (window > m.window) {
      close(m, summaries);
      m.window = window;
    }
    const std::uint64_t key = key_of(by_, record, context);
    auto k = std::find_if(m.keys.begin(), m.keys.end(), [&](const auto& c) { return c.key == key; });
    if (k == m.keys.end()) {
      if (m.keys.size() < kMostKeys) m.keys.push_back({key, 0, {}});
      k = m.keys.end() - 1;
    }
    if (k->passed < most_) {
      ++k->passed;
      return Verdict::keep;
    }
    k->dropped.add(record, context);
    return Verdict::rate_limited;
  }

  void idle(ProcessorMemory& memory, std::int64_t idle_ns, bool last,
            std::vector<Summary>& summaries) override {
    auto& m = static_cast<RateMemory&>(memory);
    if (!last && idle_ns < window_ns_) return;
    for (auto& k : m.keys) close(k, summaries);
  }

 private:
  void close(RateMemory& m, std::vector<Summary>& summaries) const {
    for (auto& k : m.keys) close(k, summaries);
    m.keys.clear();
  }
  void close(RateMemory::Key& k, std::vector<Summary>& summaries) const {
    if (k.dropped.count == 0) return;
    summaries.push_back(k.dropped.summary(
        "rate limit: " + std::to_string(k.dropped.count) + " events suppressed, " + std::to_string(most_) +
            " let through in " + std::to_string(window_ns_ / 1'000'000) + " ms",
        "rate_limit"));
    k.dropped = {};
  }

  std::uint64_t most_;
  std::int64_t window_ns_;
  std::vector<EventField> by_;
};

// -- de-duplicate
// -------------------------------------------------------------------------------------------------

struct RepeatMemory final : ProcessorMemory {
  bool any = false;
  std::uint64_t key = 0;
  std::int64_t first_ns = 0;  // time of the event that was let through
  Dropped dropped;

  void save(std::string& out) const override {
    if (!any) return;
    save_number(out, key);
    save_number(out, static_cast<std::uint64_t>(first_ns));
    save_dropped(out, dropped);
  }
  bool load(std::string_view saved) override {
    NumberReader in(saved);
    key = in.next();
    first_ns = static_cast<std::int64_t>(in.next());
    dropped = load_dropped(in);
    any = in.good() && in.at_end();
    if (!any) dropped = {};
    return any;
  }
  bool waits() const override { return dropped.count > 0; }
};

class Dedupe final : public Processor {
 public:
  explicit Dedupe(const DedupeOptions& options) : within_ns_(options.within.count() * 1'000'000) {
    for (const std::string& f : options.fields) fields_.emplace_back(f);
  }
  std::unique_ptr<ProcessorMemory> make_memory() const override { return std::make_unique<RepeatMemory>(); }

  Verdict process(Record& record, const EventContext& context, ProcessorMemory* memory,
                  std::vector<Summary>& summaries) override {
    if (memory == nullptr) return Verdict::keep;
    auto& m = static_cast<RepeatMemory&>(*memory);
    const std::uint64_t key = key_of(fields_, record, context);
    if (m.any && m.key == key && context.time_ns - m.first_ns < within_ns_) {
      m.dropped.add(record, context);
      return Verdict::duplicate;
    }
    close(m, summaries);
    m.any = true;
    m.key = key;
    m.first_ns = context.time_ns;
    return Verdict::keep;
  }

  void idle(ProcessorMemory& memory, std::int64_t idle_ns, bool last,
            std::vector<Summary>& summaries) override {
    if (last || idle_ns >= within_ns_) close(static_cast<RepeatMemory&>(memory), summaries);
  }

 private:
  static void close(RepeatMemory& m, std::vector<Summary>& summaries) {
    if (m.dropped.count == 0) return;
    summaries.push_back(m.dropped.summary(
        "the line before was repeated " + std::to_string(m.dropped.count) + " times", "dedupe"));
    m.dropped = {};
  }

  std::int64_t within_ns_;
  std::vector<EventField> fields_;
};

}  // namespace

ProcessorPtr make_rate_limit(const RateLimitOptions& options) {
  return std::make_unique<RateLimit>(options);
}
ProcessorPtr make_dedupe(const DedupeOptions& options) {
  return std::make_unique<Dedupe>(options);
}

}  // namespace sidelight
