// One step of a chain.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/process/event_context.h"
#include "agent/process/options.h"

namespace sidelight {

enum class Verdict : std::uint8_t { keep, drop, sampled, rate_limited, duplicate };

// An event that a processor makes itself. It takes the place of an event that was dropped: its range of
// bytes, and so its id, which a replay gives it again.
struct Summary {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint8_t lane = 0;
  std::int64_t time_ns = 0;
  std::string message;
  std::vector<std::pair<std::string, std::string>> labels;
};

// What a processor remembers about one file. It is saved with the file's position and restored with it, so
// that a replay decides as the first run did. One thread.
class ProcessorMemory {
 public:
  virtual ~ProcessorMemory() = default;
  // Appends printable ASCII without line breaks. load() of it gives an equal memory; anything else gives
  // false and an empty memory. Bounded.
  virtual void save(std::string& out) const = 0;
  virtual bool load(std::string_view saved) = 0;
  // Whether a summary is due once time has passed, although no event comes.
  virtual bool waits() const = 0;
};

// One thread.
class Processor {
 public:
  virtual ~Processor() = default;
  // May change the record. `memory` is what make_memory() made for the file, or null when that made none.
  virtual Verdict process(Record& record, const EventContext& context, ProcessorMemory* memory,
                          std::vector<Summary>& summaries) = 0;
  virtual std::unique_ptr<ProcessorMemory> make_memory() const { return nullptr; }
  // No event has come for a while (`idle_ns` on the wall clock), or none will come any more (`last`).
  virtual void idle(ProcessorMemory& /*memory*/, std::int64_t /*idle_ns*/, bool /*last*/,
                    std::vector<Summary>& /*summaries*/) {}
  // Whether all texts are still pieces of the line behind it: it makes no new ones, and leaves the line as it
  // is.
  virtual bool keeps_texts() const { return true; }
};

// What makes them may read files.
using ProcessorPtr = std::unique_ptr<Processor>;
ProcessorPtr make_add(const AddOptions& options);
ProcessorPtr make_remove(const RemoveOptions& options);
ProcessorPtr make_rename(const MoveOptions& options);
ProcessorPtr make_copy(const MoveOptions& options);
ProcessorPtr make_truncate(const TruncateOptions& options);
ProcessorPtr make_drop();
Expected<ProcessorPtr> make_sample(const SampleOptions& options);
ProcessorPtr make_rate_limit(const RateLimitOptions& options);
ProcessorPtr make_dedupe(const DedupeOptions& options);
Expected<ProcessorPtr> make_parse_field(const ParseFieldOptions& options);
// `line_decides`: the record's texts are pieces of its line, cut at blanks, quotes and the like.
Expected<ProcessorPtr> make_redact(const RedactOptions& options, FileSystem& fs, bool line_decides);
// What is wrong with its patterns; empty when nothing is.
std::string redaction_problem(const RedactOptions& options);
Expected<ProcessorPtr> make_metadata(const MetadataOptions& options, FileSystem& fs);

}  // namespace sidelight
