// Carries acknowledgements back: which spans of which stream are settled, and so up to where each stream is.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/clock.h"
#include "agent/batch/batch.h"
#include "agent/decode/event.h"
#include "agent/tail/identity.h"

namespace sidelight {

// Where a stream stands once a span, and all before it, are settled.
struct SettledTo {
  FramePosition position;
  Mark tail;                                       // of the bytes before position.low()
  std::shared_ptr<const std::string> memory = {};  // of the processors, as of there; null: none
};

// Thread-safe. Spans of one stream are opened and closed in order by one thread; they settle in any order
// from any thread.
class SpanLedger final : public Ledger {
 public:
  void add_stream(std::uint32_t stream);
  void remove_stream(std::uint32_t stream);

  // A span in the making; its id goes into the batch.
  std::uint64_t open(std::uint32_t stream, MonoTime now);
  // It ends at `to`, and is settled when span_settled() has been called for each of its `parts` (one a batch
  // that holds documents of it); at once when there are none.
  void close(std::uint64_t span, const SettledTo& to, std::size_t parts);
  void span_settled(std::uint64_t span) override;

  struct Progress {
    std::optional<SettledTo> advanced_to;  // since the last call
    bool idle = true;                      // nothing outstanding
    MonoTime oldest{};                     // when the oldest outstanding span was opened
  };
  Progress take(std::uint32_t stream);

 private:
  struct Entry {
    std::uint32_t number = 0;
    SettledTo to;
    MonoTime opened;
    bool closed = false;
    std::size_t parts = 0;
    std::size_t settled = 0;  // of the parts
    bool done() const { return closed && settled >= parts; }
  };
  // Of spans that are done behind one that is not, neighbours become one, the last of them: a document may
  // wait for days while those behind it are delivered.
  struct Stream {
    std::vector<Entry> entries;  // few: what one file has in flight; by number
    std::uint32_t next = 0;      // number
    std::optional<SettledTo> advanced;
  };
  using Entries = std::vector<Entry>;
  Stream* stream_of(std::uint64_t span);
  static Entries::iterator find(Stream& s, std::uint64_t span);
  static void advance(Stream& s, Entries::iterator changed);

  std::mutex mutex_;
  std::unordered_map<std::uint32_t, Stream> streams_;
};

}  // namespace sidelight
