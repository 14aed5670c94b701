// States to store, and what a store in memory tells.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/hash.h"
#include "agent/checkpoint/store.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight::test {

inline std::string key_of(int n) {
  char key[23];
  std::snprintf(key, sizeof key, "generation%012d", n);
  return key;
}

inline CheckpointState state_of(int n, std::uint64_t offset) {
  CheckpointState s;
  s.key = key_of(n);
  s.path = s.real = "/var/log/app/" + std::to_string(n) + ".log";
  s.inode = static_cast<std::uint64_t>(n);
  s.lane = {offset, offset};
  return s;
}

// A line of a journal with the right checksum.
inline std::string line_of(const std::string& payload) {
  char crc[10];
  std::snprintf(crc, sizeof crc, "%08x ", crc32c(payload));
  return crc + payload + "\n";
}

class RecordingLogger final : public Logger {
 public:
  void write(LogLevel level, std::string_view key, const std::string& message) override {
    lines.emplace_back(level, std::string(key) + ": " + message);
  }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

class RecordingCheckpointProbe final : public CheckpointProbe {
 public:
  void committed(WallNanos at, std::uint64_t bytes, std::uint64_t files) override {
    ++commits;
    committed_at = at;
    last_bytes = bytes;
    last_files = files;
  }
  void unchanged(WallNanos at) override { unchanged_at = at; }
  void write_error() override { ++write_errors; }
  void damaged() override { ++damages; }
  int commits = 0, write_errors = 0, damages = 0;
  WallNanos committed_at = 0, unchanged_at = 0;
  std::uint64_t last_bytes = 0, last_files = 0;
};

// One state_dir, /state, that is opened, closed and opened again.
struct Stored {
  Stored() { reopen(); }

  void reopen() {
    store.reset();
    auto opened = CheckpointStore::open({fs, clock, log, probe}, "/state");
    error = opened ? "" : opened.error().message;
    if (opened) store = std::move(*opened);
  }
  void close() { store.reset(); }

  Expected<void> put(const std::vector<CheckpointState>& states) const {
    return store->sync_to(store->put(states));
  }
  std::map<std::string, CheckpointState> states() const {
    std::map<std::string, CheckpointState> out;
    for (auto& s : store->states()) out[s.key] = s;
    return out;
  }
  // Offset of generation n, or -1.
  std::int64_t offset(int n) const {
    const auto all = states();
    const auto it = all.find(key_of(n));
    return it == all.end() ? -1 : static_cast<std::int64_t>(it->second.lane[0]);
  }
  std::string content(const std::string& file) {
    return fs.read_file("/state/" + file, 64u << 20).value_or("(none)");
  }
  bool exists(const std::string& file) { return fs.stat("/state/" + file).has_value(); }

  MemoryFileSystem fs;
  FakeClock clock;
  RecordingLogger log;
  RecordingCheckpointProbe probe;
  std::unique_ptr<CheckpointStore> store;
  std::string error;
};

}  // namespace sidelight::test
