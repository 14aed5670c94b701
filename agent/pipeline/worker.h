// The worker: runs tail, decode, parse and batch for its files on one thread, hands sealed batches to the
// output, and turns what the ledger says is settled into checkpoint records.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/budget.h"
#include "agent/base/chunk.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/batch/encoder.h"
#include "agent/checkpoint/store.h"
#include "agent/decode/framer.h"
#include "agent/parse/parser.h"
#include "agent/pipeline/batch_pool.h"
#include "agent/pipeline/outlet.h"
#include "agent/pipeline/pipeline_probe.h"
#include "agent/pipeline/routing.h"
#include "agent/pipeline/span_ledger.h"
#include "agent/pipeline/stream.h"
#include "agent/process/chain.h"
#include "agent/send/output.h"
#include "agent/tail/tailer.h"

namespace sidelight {

// One log input, ready to work.
struct WorkerInput {
  std::string name{};  // as the configuration and the metrics call it
  std::unique_ptr<Framer> framer;
  std::unique_ptr<Parser> parser;
  DocConstants constants;          // but for the path
  std::unique_ptr<Chain> chain{};  // null: no processors
  Routing routing{};               // of several outputs
  ConstantFields known{};          // of `constants`; filled by the worker
};

struct WorkerOptions {
  std::size_t batch_bytes = 512u << 10;  // for set_output()
  std::size_t batch_documents = 10000;
  std::chrono::milliseconds flush_interval{1000};
  std::chrono::milliseconds multiline_timeout{2000};
  std::chrono::milliseconds unterminated_timeout{5000};
  std::chrono::milliseconds checkpoint_interval{1000};
};

// Everything referenced outlives the worker.
struct WorkerContext {
  FileSystem& fs;
  FileNotifier& notifier;
  const Clock& clock;
  Logger& log;
  Budget& budget;
  ChunkPool& chunks;
  BatchPool& batches;
  SpanLedger& ledger;
  CheckpointStore& store;
  TailProbe& tail_probe;
  PipelineProbe& probe;
};

// All members but stop(), pause_input() and resume_input() belong to one thread.
class Worker final : public TailListener {
 public:
  Worker(WorkerContext context, WorkerOptions options, std::vector<WorkerInput> inputs,
         std::vector<TailOptions> tails, TailLimits limits, OwnFiles own);
  ~Worker() override;

  // Outputs are made after the worker, since they need the worker's gate; set before restore(), by one of
  // these. The inputs' routing refers to outlets by their place.
  void set_output(Output& output, std::unique_ptr<Encoder> encoder);
  void set_outlets(std::vector<Outlet*> outlets);

  // Takes up what the checkpoint knows.
  void restore();
  // Before restore(): what the worker before this one, in the same process, gave as its last.
  void inherit(OpenFiles open) { inherited_ = std::move(open); }
  OpenFiles take_open_files() { return tailer_->take_open_files(); }
  // One turn: wait for news (at most max_wait), read, batch, hand over, checkpoint. Returns whether it read
  // anything.
  bool turn(std::chrono::milliseconds max_wait);
  // Reads everything that is there and hands it over, until `deadline`. Unterminated tails go when they do
  // not grow.
  // Whether everything was read.
  bool finish(MonoTime deadline);
  // Hands over what has been read.
  void flush() { seal(); }
  // Writes down what is settled now.
  void checkpoint();

  // An input is read when no output pauses it. By the outputs' places.
  void pause_input(std::uint32_t output, std::uint32_t input, const std::string& why);
  void resume_input(std::uint32_t output, std::uint32_t input);

  void on_new(TailedFile& file, bool restored) override;
  void on_gone(TailedFile& file) override;
  void on_absent(TailedFile& file) override;
  void on_absent_gone(const std::string& key) override;

 private:
  void remove_stream(Stream& s);
  static Stream& stream_of(TailedFile& file) { return *static_cast<Stream*>(file.user); }
  bool read_some();
  void read_one(TailedFile& file);
  char* reserve(std::size_t n);
  void take(Stream& s, std::string_view context, std::string_view bytes, bool at_end);
  std::size_t write_documents(Stream& s, const std::vector<Event>& events, std::uint64_t ledger_span);
  void write_plainly(Stream& s, const std::vector<Event>& events, std::uint64_t ledger_span,
                     std::int64_t now);
  void write_processed(Stream& s, const std::vector<Event>& events, std::uint64_t ledger_span,
                       std::int64_t now);
  void deliver(Stream& s, const Record& record, const EventContext& context, std::uint64_t ledger_span);
  void deliver_summaries(Stream& s, EventContext context, std::uint64_t ledger_span);
  const DocTemplate& template_for(Stream& s, std::size_t outlet);
  ChainMemory* memory_of(Stream& s);
  void save_memory(Stream& s);
  std::size_t end_window();
  void check_waiting(MonoTime now, bool last);
  void note_tail(Stream& s, std::string_view rest, bool at_end);
  void check_tails(MonoTime now);
  bool try_carry(Stream& s);
  void keep_absent();
  struct Behind {  // what an earlier run knew: of the first bytes up to `size` some waited since then
    std::uint64_t size = 0;
    std::int64_t since_ns = 0;  // 0: none
  };
  void note_age(Stream& s, Behind earlier);
  CheckpointState state_of(const Stream& s) const;
  void seal();
  void seal(Outlet& outlet);
  void seal_if_due(MonoTime now);
  void save_unsaved();
  void save(const std::vector<Stream*>& streams);
  void release_unused(MonoTime now);
  void report(MonoTime now);
  void report_files(MonoTime now);
  std::chrono::milliseconds time_to_next(MonoTime now) const;
  std::set<std::uint32_t> paused() const;
  bool is_paused(std::uint32_t input) const;
  std::set<std::uint32_t> passed_over();

  WorkerContext ctx_;
  WorkerOptions options_;
  std::vector<WorkerInput> inputs_;
  std::unique_ptr<Outlet> own_outlet_;  // set_output()
  std::vector<Outlet*> outlets_;
  std::unique_ptr<Tailer> tailer_;
  std::set<std::string> handed_over_;  // carry_from of what was restored
  OpenFiles inherited_;                // until restore()
  std::unordered_map<std::uint32_t, std::unique_ptr<Stream>> streams_;
  std::unordered_map<std::string, CheckpointState> restoring_;  // by key: known, and not found (yet)
  std::size_t carried_ = 0;                                     // bytes of all streams' carries
  std::uint32_t next_stream_ = 1;
  std::deque<std::uint32_t> with_template_;  // streams that were given one, the oldest first
  std::set<Stream*> unsaved_;
  std::set<Stream*> open_tails_;
  std::set<Stream*> active_;  // something may have changed since the last checkpoint
  ChunkRef chunk_;
  std::size_t chunk_used_ = 0;
  Arena scratch_;  // several outputs: what the framer and the processors make of one window
  std::vector<Event> events_;
  std::vector<PendingSummary> summaries_;
  std::set<Stream*> waiting_;  // their processors wait for time to pass
  Record record_;
  std::uint64_t saved_seq_ = 0;  // everything that documents depend on is durable once this is
  std::uint64_t looks_ = 0;      // the tailer's, at the last checkpoint
  MonoTime next_checkpoint_{};
  MonoTime last_turn_{};
  MonoTime next_release_{};
  bool keeps_spares_ = false;  // the pools may hold memory that nobody needs
  bool finishing_ = false;
  bool starved_ = false;  // there was something to read, but nothing of it was allowed
  mutable std::mutex pause_mutex_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> pauses_;  // (input, output)
};

}  // namespace sidelight
