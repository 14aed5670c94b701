// What the tests of the send stage share: a clock that they step, a destination that they script, and
// recorders for what an output tells the rest of the program.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "agent/send/output.h"

namespace sidelight::test {

class SteppedClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(Nanos(now_.load())); }
  WallNanos wall() const override { return 1'700'000'000'000'000'000 + now_.load(); }
  void advance(Nanos by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'000'000'000'000};
};

// Answers each request by a function, in the next run_once(). Without requests, waiting passes the clock's
// time.
class ScriptedHttpClient final : public HttpClient {
 public:
  struct Seen {
    std::string method;
    std::string url;
    std::string body;
    std::map<std::string, std::string> headers;
    MonoTime at;
  };
  using Answer = std::function<HttpResult(const Seen&)>;

  ScriptedHttpClient(SteppedClock& clock, Answer answer) : clock_(clock), answer_(std::move(answer)) {}

  void start(HttpRequest request, Callback done) override {
    Seen s{request.method, request.url, std::string(request.body), {}, clock_.now()};
    for (const auto& [name, value] : request.headers) s.headers[name] = value;
    pending_.emplace_back(std::move(s), std::move(done));
    most_at_once = std::max(most_at_once, pending_.size());
  }
  void run_once(std::chrono::milliseconds max_wait) override {
    if (pending_.empty()) {
      clock_.advance(std::max(max_wait, std::chrono::milliseconds(1)));
      return;
    }
    auto now = std::exchange(pending_, {});
    for (auto& [seen_request, done] : now) {
      clock_.advance(std::chrono::milliseconds(1));
      seen.push_back(seen_request);
      done(answer_(seen_request));
    }
  }
  void wake() override {}
  void cancel_all() override {
    auto now = std::exchange(pending_, {});
    for (auto& [request, done] : now)
      done(std::unexpected(TransportError{TransportError::Kind::other, true, "cancelled"}));
  }
  void answer_with(Answer answer) { answer_ = std::move(answer); }

  std::vector<Seen> seen;
  std::size_t most_at_once = 0;

 private:
  SteppedClock& clock_;
  Answer answer_;
  std::vector<std::pair<Seen, Callback>> pending_;
};

struct RecordingLedger final : Ledger {
  std::vector<std::uint64_t> settled;
  void span_settled(std::uint64_t span) override { settled.push_back(span); }
};

struct FakeBarrier final : DurabilityBarrier {
  std::vector<std::uint64_t> asked;
  int failures = 0;
  Expected<void> sync_to(std::uint64_t seq) override {
    asked.push_back(seq);
    if (failures > 0) {
      --failures;
      return fail("disk is gone", 5);
    }
    return {};
  }
  std::unordered_map<std::string, std::uint64_t> starts{{std::string(22, 'A'), 0}};  // kKey
  ReplayStarts replay_starts() const override { return ReplayStarts(starts); }
};

struct RecordingGate final : InputGate {
  std::set<std::uint32_t> paused;
  int pauses = 0;
  void pause_input(std::uint32_t input, const std::string& /*why*/) override {
    paused.insert(input);
    ++pauses;
  }
  void resume_input(std::uint32_t input) override { paused.erase(input); }
};

struct RecordingRecycler final : BatchRecycler {
  std::atomic<int> recycled{0};
  void recycle(BatchPtr /*batch*/) override { ++recycled; }
};

struct RecordingProbe final : SendProbe {
  std::uint64_t shipped_docs = 0, shipped_bytes = 0, duplicate_docs = 0, conflicts = 0, dead = 0, dropped = 0;
  std::map<std::string, std::uint64_t> retries;
  std::map<std::string, std::uint64_t> dead_reasons;
  std::vector<std::string> states;  // "" is up
  std::map<int, int> requests;      // by status
  double limit = 0;
  void shipped(std::uint64_t d, std::uint64_t b) override {
    shipped_docs += d;
    shipped_bytes += b;
  }
  void duplicates(std::uint64_t d) override { duplicate_docs += d; }
  void id_conflicts(std::uint64_t d) override { conflicts += d; }
  void retried(std::uint64_t d, std::string_view r) override { retries[std::string(r)] += d; }
  void dead_lettered(std::uint64_t d, std::string_view r) override {
    dead += d;
    dead_reasons[std::string(r)] += d;
  }
  void dead_letters_dropped(std::uint64_t d) override { dropped += d; }
  void request(double, std::uint64_t, int status) override { ++requests[status]; }
  void batch_acknowledged(double) override {}
  void output_up(bool up, std::string_view cause) override { states.push_back(up ? "" : std::string(cause)); }
  void in_flight(std::uint64_t, std::uint64_t) override {}
  void concurrency_limit(double l) override { limit = l; }
  bool saw(const std::string& cause) const {
    for (const auto& s : states) {
      if (s == cause) return true;
    }
    return false;
  }
};

// Everything an output is given, recorded.
struct World {
  SteppedClock clock;
  NullLogger log;
  Budget budget{64u << 20};
  RecordingLedger ledger;
  FakeBarrier barrier;
  RecordingGate gate;
  RecordingRecycler recycler;
  RecordingProbe probe;
  OutputContext context() { return {clock, log, budget, ledger, barrier, gate, recycler, probe}; }
};

inline constexpr std::string_view kKey = "AAAAAAAAAAAAAAAAAAAAAA";

inline std::string doc_id(std::uint64_t begin, std::uint64_t end) {
  char id[64];
  return std::string(id, write_doc_id(id, kKey, begin, end));
}

// `n` documents {"n":FIRST+i} of one span; document i covers the bytes [10*(FIRST+i), 10*(FIRST+i)+10).
inline BatchPtr make_batch(std::size_t n, std::size_t first = 0, bool bulk = true, bool may_exist = false) {
  auto b = std::make_unique<Batch>();
  auto source = std::make_shared<Source>();
  source->input = 3;
  source->path = "/var/log/app.log";
  source->key = kKey;
  b->spans.push_back({.ledger_span = first, .source = source, .pending = static_cast<std::uint32_t>(n)});
  b->durable_seq = 7;
  for (std::size_t i = 0; i < n; ++i) {
    Doc d;
    d.begin = 10 * (first + i);
    d.end = d.begin + 10;
    d.may_exist = may_exist;
    const std::string id = doc_id(d.begin, d.end);
    d.body_begin = static_cast<std::uint32_t>(b->body.size());
    if (bulk) b->body += R"({"create":{"_id":")" + id + "\"}}\n";
    d.source_begin = static_cast<std::uint32_t>(b->body.size());
    b->body += R"({"n":)" + std::to_string(first + i) + R"(,"event":{"id":")" + id + "\"}}\n";
    d.body_end = static_cast<std::uint32_t>(b->body.size());
    d.raw = b->arena.copy("line " + std::to_string(first + i));
    b->docs.push_back(d);
  }
  return b;
}

// A directory of its own, removed at the end.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sidelight-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The real filesystem, on which writing can be made to fail in the middle with ENOSPC.
class FullableFileSystem final : public FileSystem {
 public:
  bool full = false;
  std::size_t fits = 5;  // bytes that a failing write still gets in: a torn line

  Expected<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto f = fs_.open(path, mode);
    if (!f) return f;
    return std::make_unique<Wrapped>(*this, std::move(*f));
  }
  Expected<FileStat> stat(const std::string& p) override { return fs_.stat(p); }
  Expected<FileStat> lstat(const std::string& p) override { return fs_.lstat(p); }
  Expected<std::string> real_path(const std::string& p) override { return fs_.real_path(p); }
  Expected<std::vector<DirEntry>> list(const std::string& d) override { return fs_.list(d); }
  Expected<void> rename(const std::string& a, const std::string& b) override { return fs_.rename(a, b); }
  Expected<void> remove(const std::string& p) override { return fs_.remove(p); }
  Expected<void> make_dirs(const std::string& d) override { return fs_.make_dirs(d); }
  Expected<void> sync_dir(const std::string& d) override { return fs_.sync_dir(d); }
  Expected<std::unique_ptr<File>> lock(const std::string& p) override { return fs_.lock(p); }

 private:
  class Wrapped final : public File {
   public:
    Wrapped(FullableFileSystem& owner, std::unique_ptr<File> file) : owner_(owner), file_(std::move(file)) {}
    Expected<FileStat> stat() const override { return file_->stat(); }
    Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t o) const override {
      return file_->read_at(to, n, o);
    }
    Expected<void> write(std::string_view bytes) override {
      if (!owner_.full) return file_->write(bytes);
      static_cast<void>(file_->write(bytes.substr(0, owner_.fits)));
      return fail("No space left on device", ENOSPC);
    }
    Expected<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Expected<void> sync() override { return file_->sync(); }
    Expected<void> give_to(std::uint32_t uid, std::uint32_t gid) override { return file_->give_to(uid, gid); }

   private:
    FullableFileSystem& owner_;
    std::unique_ptr<File> file_;
  };
  PosixFileSystem fs_;
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto nl = text.find('\n', at);
    if (nl == std::string::npos) {
      out.push_back(text.substr(at));
      break;
    }
    out.push_back(text.substr(at, nl - at));
    at = nl + 1;
  }
  return out;
}

}  // namespace sidelight::test
