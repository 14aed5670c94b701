// The pipeline's side of a tailed file: where its framing stands, what is settled, what a replay must repeat.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/batch/batch.h"
#include "agent/batch/encoder.h"
#include "agent/checkpoint/state.h"
#include "agent/decode/event.h"
#include "agent/pipeline/span_ledger.h"
#include "agent/process/chain.h"
#include "agent/tail/tailed_file.h"

namespace sidelight {

// One thread.
struct Stream {
  std::uint32_t id = 0;
  TailedFile* file = nullptr;
  FramePosition position;  // handed out; position.low() == file->read_to
  SettledTo committed;
  std::shared_ptr<const Source> source;
  std::vector<std::unique_ptr<DocTemplate>> doc_templates;  // one an output; made for the first document,
                                                            // dropped when all is quiet
  std::unique_ptr<ChainMemory> memory;  // of the processors; made for the first event where they need one
  std::shared_ptr<const std::string> saved_memory;  // as of `position`
  MonoTime last_event{};                            // when the last one went through the processors
  std::vector<std::uint64_t> cuts;                  // forced event ends at or behind committed.position.low()
  std::vector<TimeMark> time_marks;
  std::string carry;
  std::string carry_from;
  std::uint64_t replay_until = 0;  // documents that begin before it may have been sent by an earlier run
  std::size_t window = 0;          // bytes to read at a time
  bool unsaved = true;     // has a key, cut, mark or carry that must be durable before its documents are sent
  bool cut_now = false;    // close what is open when the known end is reached
  bool open_tail = false;  // bytes behind position make no complete event yet
  MonoTime tail_since{};   // since when the open tail has not grown
  std::uint64_t tail_size = 0;
  bool tail_terminated =
      false;  // it ends with a newline: only the next line can tell whether the event is complete
  MonoTime oldest_unsettled{};  // when the oldest bytes that are read and not settled were read

  // How the file grew to its present size: these sizes, and since when they are known to be there. Both
  // ascend; what is settled is left out.
  struct Growth {
    std::uint64_t size = 0;
    MonoTime since{};
  };
  std::vector<Growth> growth;
  // The file has this size at `now`, or had it already then. A smaller one than before: the rest is gone.
  void note_size(std::uint64_t size, MonoTime now);
  // Since when the first byte that is not settled is known to be there; `now` if nothing is known.
  MonoTime behind_since(MonoTime now) const;

  // The @timestamp of an event at `offset` that has no time of its own. May add a mark and set `unsaved`.
  std::int64_t fallback_time(std::uint64_t offset, std::int64_t now_ns);
  // Where it stands now, for the ledger.
  SettledTo stand(Mark tail) const { return {position, tail, saved_memory}; }
  // Forgets cuts and marks that no replay can need.
  void trim();
  CheckpointState state() const;
};

}  // namespace sidelight
