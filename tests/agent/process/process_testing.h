// Lines through a parser, a chain and the encoder: what would be shipped of them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/batch/encoder.h"
#include "agent/parse/parser.h"
#include "agent/process/chain.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight::test {

using Json = nlohmann::json;
using Processors = std::vector<ProcessorOptions>;

struct Shipped {
  std::vector<Json> documents;
  std::vector<std::string> bodies;  // the same as bytes
  std::vector<std::string> raws;    // the lines that dead letters would keep
  std::vector<std::string> ids;
  std::map<Verdict, int> dropped;
};

// One file. Events stand one behind another, a byte for each newline.
class Line {
 public:
  explicit Line(const Processors& processors, Format format = Format::automatic,
                ConstantFields constants = {}, const std::string& pattern = {})
      : constants_(std::move(constants)) {
    auto parser = make_parser({format, pattern, "UTC", {}});
    EXPECT_TRUE(parser.has_value());
    parser_ = std::move(*parser);
    auto chain = Chain::make(processors, files, {format != Format::regex, "UTC"});
    EXPECT_TRUE(chain.has_value()) << (chain ? "" : chain.error().message);
    if (!chain) return;
    chain_ = std::move(*chain);
    memory_ = chain_->make_memory("");
  }

  // The document of one line, or null when it was dropped.
  Json one(const std::string& text) {
    const Shipped s = ship({text});
    return s.documents.empty() ? Json() : s.documents.front();
  }
  Shipped ship(const std::vector<std::string>& lines) {
    Shipped out;
    Batch batch;
    batch.spans.emplace_back();
    std::vector<PendingSummary> summaries;
    for (const std::string& text : lines) {
      Event event;
      event.begin = position;
      event.end = position += text.size() + 1;
      event.text = batch.arena.copy(text);
      if (text.empty()) event.text = {};
      Record record;
      parser_->parse(event, kNow, batch.arena, record);
      record.event = &event;
      const EventContext context = context_of(batch.arena, record.timestamp_ns.value_or(kNow));
      const auto outcome = chain_->process(record, context, memory_.get(), summaries);
      if (outcome.verdict == Verdict::keep) {
        append(record, context.time_ns, batch);
      } else {
        ++out.dropped[outcome.verdict];
      }
      flush(summaries, batch);
    }
    collect(batch, out);
    return out;
  }
  Shipped idle(std::int64_t ns, bool last) {
    Shipped out;
    Batch batch;
    batch.spans.emplace_back();
    std::vector<PendingSummary> summaries;
    chain_->idle(*memory_, ns, last, summaries);
    flush(summaries, batch);
    collect(batch, out);
    return out;
  }

  std::string save() const { return memory_->save(); }
  void restore(const std::string& saved) { memory_ = chain_->make_memory(saved); }
  bool waits() const { return memory_->waits(); }

  std::uint64_t position = 0;
  MemoryFileSystem files;

 private:
  static constexpr std::int64_t kNow = 1'790'000'000'000'000'000;

  EventContext context_of(Arena& arena, std::int64_t time_ns) const {
    return {arena, time_ns, kNow, &chain_->zone(), source_.key, &constants_};
  }
  void flush(std::vector<PendingSummary>& summaries, Batch& batch) {
    for (const PendingSummary& p : summaries) {
      Event event;
      Record record;
      if (chain_->finish_summary(p, context_of(batch.arena, p.summary.time_ns), event, record))
        append(record, p.summary.time_ns, batch);
    }
    summaries.clear();
  }
  void append(const Record& record, std::int64_t time_ns, Batch& batch) {
    encoder_->append(record, *template_, source_, time_ns, 0, batch);
  }
  static void collect(const Batch& batch, Shipped& out) {
    for (const Doc& d : batch.docs) {
      out.bodies.emplace_back(batch.doc_source(d));
      out.documents.push_back(Json::parse(out.bodies.back(), nullptr, false));
      EXPECT_FALSE(out.documents.back().is_discarded()) << out.bodies.back();
      out.raws.emplace_back(d.raw);
      out.ids.push_back(std::to_string(d.begin) + "-" + std::to_string(d.end));
    }
  }

  ConstantFields constants_;
  std::unique_ptr<Parser> parser_;
  std::unique_ptr<Chain> chain_;
  std::unique_ptr<ChainMemory> memory_;
  std::unique_ptr<Encoder> encoder_ = make_encoder({BulkShape::ndjson, true, {}});
  Source source_{0, "/logs/a.log", "AAAAAAAAAAAAAAAAAAAAAA"};
  std::unique_ptr<DocTemplate> template_ =
      encoder_->prepare({"/logs/a.log", constants_.service, constants_.fields, constants_.labels});
};

template <class Set>
ProcessorOptions processor(Set&& set, ConditionOptions when = {}) {
  ProcessorOptions p;
  p.when = std::move(when);
  set(p);
  return p;
}

inline ConditionOptions when_level(std::vector<std::string> levels) {
  ConditionOptions c;
  c.must.levels = std::move(levels);
  return c;
}

}  // namespace sidelight::test
