// The processors of one log input, in order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/process/condition.h"
#include "agent/process/options.h"
#include "agent/process/processor.h"

namespace sidelight {

// What the processors of a chain remember about one file.
class ChainMemory {
 public:
  // Whether anything is waiting for time to pass.
  bool waits() const;
  // For the checkpoint; empty when there is nothing to remember.
  std::string save() const;

 private:
  friend class Chain;
  std::vector<std::unique_ptr<ProcessorMemory>> slots_;  // one a processor, null where it needs none
  std::uint64_t chain_ = 0;
};

struct ChainInput {
  bool line_decides = false;  // see make_redact
  std::string timezone = "UTC";
};

// One thread. The record that comes out refers to the batch's arena, the event's window, and the chain's
// constants.
class Chain {
 public:
  // The message of an error says which processor it is about.
  static Expected<std::unique_ptr<Chain>> make(const std::vector<ProcessorOptions>& processors,
                                               FileSystem& fs, const ChainInput& input);

  bool has_memory() const { return has_memory_; }
  const TimeZone& zone() const { return zone_; }  // for EventContext
  // `saved` is what ChainMemory::save() gave; a chain that was configured otherwise starts anew.
  std::unique_ptr<ChainMemory> make_memory(std::string_view saved) const;

  struct Outcome {
    Verdict verdict = Verdict::keep;
    std::size_t processor = 0;  // which one did not keep it
  };
  // Takes summaries that became due to `summaries`; each has yet to go through finish_summary().
  Outcome process(Record& record, const EventContext& context, ChainMemory* memory,
                  std::vector<struct PendingSummary>& summaries);
  // See Processor::idle().
  void idle(ChainMemory& memory, std::int64_t idle_ns, bool last,
            std::vector<struct PendingSummary>& summaries);
  // Makes the summary a record and passes it through the processors behind its maker. `event` and `record`
  // are filled; false: it was dropped.
  bool finish_summary(const PendingSummary& summary, const EventContext& context, Event& event,
                      Record& record);

  std::size_t size() const { return steps_.size(); }
  // "redact", "drop" ...
  const std::string& name(std::size_t processor) const { return steps_[processor].name; }

 private:
  struct Step {
    std::string name;
    Condition when;
    ProcessorPtr processor;
  };
  Outcome run(std::size_t from, Record& record, const EventContext& context, ChainMemory* memory,
              std::vector<struct PendingSummary>& summaries);

  std::vector<Step> steps_;
  TimeZone zone_;
  std::uint64_t id_ = 0;
  bool has_memory_ = false;
  std::vector<Summary> made_;
};

struct PendingSummary {
  std::size_t maker = 0;  // which processor
  Summary summary;
};

}  // namespace sidelight
