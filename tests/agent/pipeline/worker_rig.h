// A worker on a real directory, with a clock and notifications that the test steps, and a destination that
// keeps ids as Elasticsearch does and answers when the test says so.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/file_notifier.h"
#include "agent/pipeline/worker.h"

namespace sidelight::test {

class SteppedClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(Nanos(now_ += per_look_)); }
  WallNanos wall() const override { return 1'790'000'000'000'000'000 + now_; }
  void step(std::chrono::milliseconds by) { now_ += Nanos(by).count(); }
  // From now on it goes on by so much whenever it is looked at.
  void run(Nanos per_look) { per_look_ = per_look.count(); }

 private:
  mutable std::int64_t now_ = 1'000'000'000;
  std::int64_t per_look_ = 0;
};

// Notifications are what the test says: `lost` ones make the tailer look at everything.
class SteppedNotifier final : public FileNotifier {
 public:
  Expected<void> watch(const std::string& /*dir*/) override { return {}; }
  void unwatch(const std::string& /*dir*/) override {}
  std::vector<FileChange> wait(std::chrono::milliseconds /*max_wait*/, bool& overflowed) override {
    overflowed = lost;
    lost = false;
    return {};
  }
  void rest(std::chrono::milliseconds /*max_wait*/) override {}
  void wake() override {}
  bool lost = false;
};

struct StoredDoc {
  std::string message;
  std::string path;
  std::uint64_t offset = 0;
  std::vector<std::string> flags;
  std::string timestamp = {};
};

class CountingPipelineProbe final : public PipelineProbe {
 public:
  void read(std::uint32_t, std::uint64_t) override {}
  void events(std::uint32_t, std::uint64_t, std::uint64_t) override {}
  void truncated(std::uint32_t, std::uint64_t events, std::uint64_t bytes) override {
    truncated_events += events;
    truncated_bytes += bytes;
  }
  void dropped(std::uint32_t, std::uint64_t, DropReason) override {}
  void parse_errors(std::uint32_t, std::uint64_t) override {}
  void lag(std::uint32_t, std::uint64_t bytes, double seconds) override {
    lag_bytes = bytes;
    lag_seconds = seconds;
  }
  void files(const std::vector<FileProgress>& progress, std::size_t) override {
    behind_seconds = 0;
    for (const FileProgress& f : progress) behind_seconds = std::max(behind_seconds, f.behind_seconds);
  }
  void in_flight(std::uint64_t used, std::uint64_t) override { in_flight_bytes = used; }
  void input_paused(std::uint32_t, bool paused, PauseReason) override { is_paused = paused; }
  void reload(bool) override {}
  std::uint64_t truncated_events = 0, truncated_bytes = 0, lag_bytes = 0, in_flight_bytes = 0;
  double lag_seconds = 0, behind_seconds = 0;
  bool is_paused = false;
};

class CountingTailProbe final : public TailProbe {
 public:
  void files_open(std::uint64_t n) override { open = n; }
  void files_tracked(std::uint64_t n) override { tracked = n; }
  void input_files(std::uint32_t, std::uint64_t) override {}
  void watch_mode(bool) override {}
  void unreadable_files(std::uint64_t n) override { unreadable = n; }
  void ignored_files(std::uint64_t n) override { ignored = n; }
  void lost_bytes(std::uint32_t, std::uint64_t bytes, LossReason) override { lost += bytes; }
  void rotation(RotationKind) override { ++rotations; }
  void read_error() override {}
  void deleted_bytes_held(std::uint64_t n) override { held = n; }
  void descriptor_limit_hit() override { ++limit_hits; }
  std::uint64_t open = 0, tracked = 0, unreadable = 0, ignored = 0, lost = 0, rotations = 0, held = 0,
                limit_hits = 0;
};

// Silent unless one seed is looked at.
class StderrLogger final : public Logger {
 public:
  std::string last;
  void write(LogLevel level, std::string_view key, const std::string& message) override;
};

class Rig {
 public:
  explicit Rig(TailOptions tail = {}, DecodeOptions decode = {});
  ~Rig();

  std::string path(const std::string& name) const { return logs_ + "/" + name; }
  void append(const std::string& name, const std::string& bytes) const;
  void rename(const std::string& from, const std::string& to) const;
  void truncate(const std::string& name) const;
  void copy(const std::string& from, const std::string& to) const;
  void gzip(const std::string& name, bool keep = false) const;
  void remove(const std::string& name) const;
  void symlink(const std::string& target, const std::string& name) const;
  bool exists(const std::string& name) const;
  std::uint64_t size(const std::string& name) const;

  void match(const std::string& glob) { tail_.paths = {path(glob)}; }  // from the next start on

  void start();                           // a new process on the same state
  void crash();                           // kill -9: what the destination has, and what was synced, stays
  void turn(bool look = true);            // one turn of the worker, a second later
  void acknowledge(std::size_t batches);  // the oldest of those sent
  void settle();                          // turns and acknowledges until nothing moves any more
  void finish();                          // SIGTERM
  void reload(const std::function<void()>& between);  // SIGHUP: a new worker on the store of the old one
  void reload_undrained(const std::function<void()>& between);  // the destination is down meanwhile
  const std::string& last_told() const { return log_.last; }
  bool running() const { return worker_ != nullptr; }

  std::map<std::string, StoredDoc> stored;  // by id
  std::uint64_t duplicates = 0;             // ids offered again
  SteppedClock clock;
  SteppedNotifier notifier;
  FileNotifier* real_notifier = nullptr;  // in its place from the next start() on, when given
  CountingTailProbe tail_probe;
  CountingPipelineProbe pipeline_probe;
  Worker& worker() { return *worker_; }
  std::size_t budget_used() const;
  WorkerOptions options;
  TailLimits limits;
  OwnFiles own;
  std::size_t budget_bytes = 32u << 20;
  std::vector<ProcessorOptions> processors;  // from the next start() on

 private:
  class Sink;
  struct Process;
  void begin(std::unique_ptr<CheckpointStore> store);
  void drain();
  void store(const Batch& batch);

  std::string logs_;
  std::string state_;
  TailOptions tail_;
  DecodeOptions decode_;
  PosixFileSystem fs_;
  StderrLogger log_;
  NullCheckpointProbe checkpoint_probe_;
  std::unique_ptr<Process> process_;
  Worker* worker_ = nullptr;
  OpenFiles inherited_;
};

using Texts = std::vector<std::string>;

// Of the documents that are stored, sorted.
Texts texts(const Rig& rig);

}  // namespace sidelight::test
