// The durable memory of the log path: which generations exist and up to where each is settled. Format:
// docs/checkpoint.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/log.h"
#include "agent/checkpoint/checkpoint_probe.h"
#include "agent/checkpoint/state.h"

namespace sidelight {

// A journal of states with a snapshot at its start, in state_dir/checkpoint; its predecessor is
// checkpoint.previous. put() and forget() only remember; sync_to() makes durable. Thread-safe. Holds
// state_dir's lock while it lives.
class CheckpointStore {
 public:
  struct Context {
    FileSystem& fs;
    const Clock& clock;
    Logger& log;
    CheckpointProbe& probe;
  };

  // Locks state_dir and loads what is there. Fails only when another instance holds the lock or the directory
  // cannot be used; a damaged checkpoint is set aside, told, and what can be read of it and of its
  // predecessor is used.
  static Expected<std::unique_ptr<CheckpointStore>> open(Context context, const std::string& state_dir);

  // As loaded, in no order. first_start: there was no checkpoint at all, not even a damaged one.
  std::vector<CheckpointState> states() const;
  // For each key the offset that no replayed document begins before. Of a file whose processors remember
  // something it is 0: what they make of it later has a range that begins anywhere before.
  std::unordered_map<std::string, std::uint64_t> replay_starts() const;
  // Of the inputs that ran last, as put; absent when none were put or when the checkpoint was damaged.
  std::optional<std::set<std::string>> globs() const;
  bool first_start() const { return first_start_; }
  std::int64_t loaded_saved_at_ns() const { return loaded_saved_at_ns_; }

  // Remembers the states, all or none of them after a crash, and returns the number to be given to sync_to().
  // `state` makes them one at a time, 0 to count - 1: those of ten thousand files need not be in memory at
  // once. It must not call the store.
  std::uint64_t put(std::size_t count, const std::function<CheckpointState(std::size_t)>& state);
  std::uint64_t put(const std::vector<CheckpointState>& states);
  std::uint64_t forget(const std::string& key);
  std::uint64_t put_globs(const std::vector<std::string>& globs);

  // Blocks until everything up to `seq` is on disk. On error nothing of it is given up: call again. A
  // checkpoint that somebody removed meanwhile, or its directory, is told and written anew; whether it is
  // still there is seen by each sync_all(), and before anything is written.
  Expected<void> sync_to(std::uint64_t seq);
  Expected<void> sync_all();
  // Everything is on disk: the checkpoint's age starts anew.
  void touch();

 private:
  CheckpointStore(Context context, std::string dir, std::unique_ptr<File> lock);
  void load();
  using States = std::unordered_map<std::string, std::string>;  // key -> encoded state
  struct Loaded {
    bool exists = false;
    bool usable = false;        // header read and understood
    std::uint64_t damaged = 0;  // lines that could not be used, a torn last one apart
    std::string problem;
    States states;
    std::unordered_set<std::string> forgotten;
    std::optional<std::string> globs;  // encoded
  };
  Loaded load_file(const std::string& path);
  bool apply(std::string_view payload, Loaded& to);
  void set_aside(const Loaded& current, const Loaded& previous);
  std::uint64_t append(const std::function<void(std::string&)>& write_payload);
  Expected<void> sync(std::uint64_t seq, bool look);
  Expected<void> look_after_files();
  Expected<void> not_written(const Error& why);
  bool is_there(const File& file, const std::string& file_path) const;
  Expected<void> write_pending(std::string& bytes);
  Expected<void> rewrite();
  std::string path(const char* suffix = "") const;

  Context ctx_;
  std::string dir_;
  std::unique_ptr<File> lock_;
  bool first_start_ = false;
  std::int64_t loaded_saved_at_ns_ = 0;

  mutable std::mutex state_mutex_;  // guards states_ .. next_seq_
  States states_;
  std::optional<std::string> globs_;  // as a JSON array
  std::uint64_t live_bytes_ = 0;
  std::string pending_;
  std::uint64_t next_seq_ = 0;

  std::mutex io_mutex_;  // guards what follows; taken before state_mutex_
  std::unique_ptr<File> file_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t durable_seq_ = 0;
  bool must_rewrite_ = true;
};

}  // namespace sidelight
