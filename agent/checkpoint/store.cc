#include "agent/checkpoint/store.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/base/hash.h"

namespace sidelight {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr std::string_view kFormat = "sidelight-checkpoint";
constexpr std::size_t kMaxFile = 1u << 30;
constexpr std::uint64_t kCompactAbove = 1u << 20;
constexpr std::size_t kRecordFrame = 64;  // what a snapshot's line has around a state, at most

constexpr std::size_t kGuard = 9;  // the checksum and a space before the payload

// Appends a line: its checksum, and the payload that `write_payload` appends.
template <class F>
void append_guarded(std::string& to, const F& write_payload) {
  const std::size_t begin = to.size();
  to.append(kGuard, ' ');
  write_payload(to);
  char crc[kGuard];
  std::snprintf(crc, sizeof crc, "%08x", crc32c(std::string_view(to).substr(begin + kGuard)));
  to.replace(begin, kGuard - 1, crc);
  to += '\n';
}

// The payload of a line whose checksum is right, else empty.
std::string_view payload_of(std::string_view line) {
  if (line.size() <= kGuard || line[kGuard - 1] != ' ') return {};
  const auto payload = line.substr(kGuard);
  char crc[kGuard];
  std::snprintf(crc, sizeof crc, "%08x", crc32c(payload));
  return line.starts_with(crc) ? payload : std::string_view{};
}

// Whether it is the header of a journal that this program understands; else `problem` may say more.
bool read_header(std::string_view payload, std::string& problem) {
  const Json header = Json::parse(payload, nullptr, false);
  if (!header.is_object()) return false;
  const auto format = header.find("format");
  const auto version = header.find("version");
  if (format == header.end() || *format != kFormat) return false;
  if (version == header.end() || !version->is_number_integer()) return false;
  if (*version == kVersion) return true;
  problem =
      "it is of version " + version->dump() + ", this program knows version " + std::to_string(kVersion);
  return false;
}

std::string globs_record(std::int64_t at, const std::string& encoded) {
  return "{\"at\":" + std::to_string(at) + ",\"globs\":" + encoded + "}";
}

std::string lock_path(const std::string& state_dir) {
  return state_dir + "/lock";
}

Expected<std::unique_ptr<File>> lock_dir(FileSystem& fs, const std::string& state_dir) {
  auto lock = fs.lock(lock_path(state_dir));
  if (!lock && lock.error().code == EWOULDBLOCK)
    return fail(
        "another sidelight uses state_dir " + state_dir + " (its lock is held); give each instance its own",
        EWOULDBLOCK);
  if (!lock) return fail("state_dir cannot be used: " + lock.error().message, lock.error().code);
  return lock;
}

}  // namespace

CheckpointStore::CheckpointStore(Context context, std::string dir, std::unique_ptr<File> lock)
    : ctx_(context), dir_(std::move(dir)), lock_(std::move(lock)) {}

std::string CheckpointStore::path(const char* suffix) const {
  return dir_ + "/checkpoint" + suffix;
}

Expected<std::unique_ptr<CheckpointStore>> CheckpointStore::open(Context context,
                                                                 const std::string& state_dir) {
  if (auto r = context.fs.make_dirs(state_dir); !r)
    return fail("state_dir cannot be used: " + r.error().message, r.error().code);
  auto lock = lock_dir(context.fs, state_dir);
  if (!lock) return std::unexpected(lock.error());
  std::unique_ptr<CheckpointStore> store(new CheckpointStore(context, state_dir, std::move(*lock)));
  store->load();
  return store;
}

void CheckpointStore::load() {
  Loaded current = load_file(path());
  states_ = std::move(current.states);
  for (const auto& [key, encoded] : states_) live_bytes_ += encoded.size();
  if (current.usable && current.damaged == 0) {
    globs_ = std::move(current.globs);
    if (globs_) live_bytes_ += globs_->size();
    ctx_.probe.committed(loaded_saved_at_ns_, 0, states_.size());
    return;
  }
  Loaded previous = load_file(path(".previous"));
  for (auto& [key, encoded] : previous.states)
    if (!current.forgotten.contains(key) && !states_.contains(key)) {
      live_bytes_ += encoded.size();
      states_.emplace(key, std::move(encoded));
    }
  // A crash between two renames is no damage; after one, older globs would let `start: end` skip lines.
  if (!current.exists && previous.usable && previous.damaged == 0) globs_ = std::move(previous.globs);
  if (globs_) live_bytes_ += globs_->size();
  // One that was set aside, by us or just before a crash, is no first start either.
  first_start_ = !current.exists && !previous.exists && !ctx_.fs.stat(path(".damaged"));
  if (first_start_) return;
  if (current.exists || (previous.exists && !previous.usable)) set_aside(current, previous);
  ctx_.probe.committed(loaded_saved_at_ns_, 0, states_.size());
}

void CheckpointStore::set_aside(const Loaded& current, const Loaded& previous) {
  const bool predecessor = !current.exists;  // the damaged one
  const Loaded& damaged = predecessor ? previous : current;
  const std::string from = path(predecessor ? ".previous" : "");
  const std::string to = path(".damaged");
  const auto moved = ctx_.fs.rename(from, to);
  std::string rest = "nothing";
  if (previous.usable) rest = "its predecessor";
  if (current.usable) rest = "what can be read of it" + (previous.usable ? " and " + rest : "");
  ctx_.probe.damaged();
  ctx_.log.error(
      "checkpoint.damaged",
      from + " is damaged (" +
          (damaged.usable ? std::to_string(damaged.damaged) + " damaged records" : damaged.problem) + "); " +
          (moved ? "it is kept as " + to : "it could not be set aside (" + moved.error().message + ")") +
          "; going on with " + rest +
          ". Lines shipped since then are offered again; the destination knows most of them by their id.");
  // What was read of it must not wait for the first commit: a crash would leave the predecessor alone.
  if (auto r = rewrite(); !r) {
    ctx_.probe.write_error();
    ctx_.log.error("checkpoint.write", "the checkpoint cannot be written: " + r.error().message);
  }
}

CheckpointStore::Loaded CheckpointStore::load_file(const std::string& file) {
  Loaded result;
  const auto bytes = ctx_.fs.read_file(file, kMaxFile);
  if (!bytes) {
    result.exists = bytes.error().code != ENOENT;
    result.problem = bytes.error().message;
    return result;
  }
  result.exists = true;
  result.problem = bytes->empty() ? "it is empty" : "its header cannot be read";
  std::string_view rest = *bytes;
  for (;;) {
    const auto nl = rest.find('\n');
    // What follows was torn by a crash in mid-append: it was never promised to anyone.
    if (nl == std::string_view::npos) return result;
    const auto payload = payload_of(rest.substr(0, nl));
    rest.remove_prefix(nl + 1);
    if (result.usable) {
      if (!apply(payload, result)) ++result.damaged;
    } else if (!read_header(payload, result.problem)) {
      return result;
    } else {
      result.usable = true;
      (void)apply(payload, result);  // its "at"
    }
  }
}

bool CheckpointStore::apply(std::string_view payload, Loaded& to) {
  const Json j = Json::parse(payload, nullptr, false);
  if (!j.is_object()) return false;
  if (const auto t = j.find("at"); t != j.end() && t->is_number_integer())
    loaded_saved_at_ns_ = std::max(loaded_saved_at_ns_, t->get<std::int64_t>());
  if (const auto f = j.find("forget"); f != j.end()) {
    if (!f->is_string()) return false;
    to.states.erase(f->get<std::string>());
    to.forgotten.insert(f->get<std::string>());
    return true;
  }
  if (const auto g = j.find("globs"); g != j.end()) {
    std::set<std::string> globs;
    if (!globs_from_json(*g, globs)) return false;
    to.globs = g->dump();
    return true;
  }
  const auto files = j.find("files");
  if (files == j.end() || !files->is_array()) return false;
  bool good = true;
  for (const auto& f : *files) {
    CheckpointState s;
    if (!state_from_json(f, s)) {
      good = false;
      continue;
    }
    to.forgotten.erase(s.key);
    to.states[s.key] = encode_state(s);
  }
  return good;
}

std::vector<CheckpointState> CheckpointStore::states() const {
  const std::lock_guard lock(state_mutex_);
  std::vector<CheckpointState> out;
  out.reserve(states_.size());
  for (const auto& [key, encoded] : states_) {
    CheckpointState s;
    if (decode_state(encoded, s)) out.push_back(std::move(s));
  }
  return out;
}

std::unordered_map<std::string, std::uint64_t> CheckpointStore::replay_starts() const {
  const std::lock_guard lock(state_mutex_);
  std::unordered_map<std::string, std::uint64_t> out;
  out.reserve(states_.size());
  for (const auto& [key, encoded] : states_) {
    CheckpointState s;
    if (!decode_state(encoded, s)) continue;
    out.emplace(key, s.processors.empty() ? std::min(s.lane[0], s.lane[1]) : 0);
  }
  return out;
}

std::uint64_t CheckpointStore::append(const std::function<void(std::string&)>& write_payload) {
  append_guarded(pending_, write_payload);
  return ++next_seq_;
}

std::uint64_t CheckpointStore::put(std::size_t count,
                                   const std::function<CheckpointState(std::size_t)>& state) {
  const std::lock_guard lock(state_mutex_);
  if (count == 0) return next_seq_;
  return append([&](std::string& payload) {
    payload += "{\"at\":" + std::to_string(ctx_.clock.wall()) + ",\"files\":[";
    for (std::size_t i = 0; i < count; ++i) {
      const CheckpointState made = state(i);
      std::string encoded = encode_state(made);
      if (i > 0) payload += ',';
      payload += encoded;
      auto& slot = states_[made.key];
      live_bytes_ += encoded.size();
      live_bytes_ -= slot.size();
      slot = std::move(encoded);
    }
    payload += "]}";
  });
}

std::uint64_t CheckpointStore::put(const std::vector<CheckpointState>& states) {
  return put(states.size(), [&](std::size_t i) { return states[i]; });
}

std::uint64_t CheckpointStore::forget(const std::string& key) {
  const std::lock_guard lock(state_mutex_);
  const auto it = states_.find(key);
  if (it == states_.end()) return next_seq_;
  live_bytes_ -= it->second.size();
  states_.erase(it);
  return append([&](std::string& payload) { payload += "{\"forget\":\"" + key + "\"}"; });
}

std::uint64_t CheckpointStore::put_globs(const std::vector<std::string>& globs) {
  const std::lock_guard lock(state_mutex_);
  std::string encoded = encode_globs({globs.begin(), globs.end()});
  if (globs_ == encoded) return next_seq_;
  live_bytes_ += encoded.size();
  if (globs_) live_bytes_ -= globs_->size();
  globs_ = std::move(encoded);
  return append([&](std::string& payload) { payload += globs_record(ctx_.clock.wall(), *globs_); });
}

std::optional<std::set<std::string>> CheckpointStore::globs() const {
  const std::lock_guard lock(state_mutex_);
  std::set<std::string> out;
  if (!globs_ || !globs_from_json(Json::parse(*globs_, nullptr, false), out)) return std::nullopt;
  return out;
}

Expected<void> CheckpointStore::sync_all() {
  std::uint64_t seq = 0;
  {
    const std::lock_guard lock(state_mutex_);
    seq = next_seq_;
  }
  return sync(seq, true);
}

Expected<void> CheckpointStore::sync_to(std::uint64_t seq) {
  return sync(seq, false);
}

void CheckpointStore::touch() {
  ctx_.probe.unchanged(ctx_.clock.wall());
}

bool CheckpointStore::is_there(const File& file, const std::string& file_path) const {
  const auto ours = file.stat();
  const auto found = ctx_.fs.stat(file_path);
  if (ours && found) return ours->dev == found->dev && ours->inode == found->inode;
  return !ours || (found.error().code != ENOENT && found.error().code != ENOTDIR);  // nobody can tell
}

// What is appended to a file that has no name any more is read by nobody.
Expected<void> CheckpointStore::look_after_files() {
  if (!is_there(*lock_, lock_path(dir_))) {
    auto made = ctx_.fs.make_dirs(dir_);
    if (!made) return made;
    auto lock = lock_dir(ctx_.fs, dir_);
    if (!lock) return std::unexpected(lock.error());
    lock_ = std::move(*lock);
  }
  if (!must_rewrite_ && !is_there(*file_, path())) {
    ctx_.log.error("checkpoint.removed",
                   path() + " was removed or replaced under the running program; it is written anew");
    must_rewrite_ = true;
  }
  return {};
}

Expected<void> CheckpointStore::not_written(const Error& why) {
  ctx_.probe.write_error();
  return fail("the checkpoint cannot be written: " + why.message, why.code);
}

Expected<void> CheckpointStore::sync(std::uint64_t seq, bool look) {
  const std::lock_guard io(io_mutex_);
  const bool durable = durable_seq_ >= seq && !must_rewrite_;
  if (durable && !look) return {};
  if (auto r = look_after_files(); !r) return not_written(r.error());
  if (durable && !must_rewrite_) return {};
  std::string bytes;
  std::uint64_t up_to = 0;
  std::uint64_t live = 0;
  std::size_t files = 0;
  {
    const std::lock_guard lock(state_mutex_);
    bytes.swap(pending_);
    if (must_rewrite_) bytes = {};  // a snapshot has it all; should it fail, the next one does
    up_to = next_seq_;
    live = live_bytes_;
    files = states_.size();
  }
  const bool compact = must_rewrite_ || file_bytes_ + bytes.size() > std::max(kCompactAbove, 4 * live);
  Expected<void> r = compact ? rewrite() : write_pending(bytes);
  if (!r && compact && !must_rewrite_)
    r = write_pending(bytes);  // no room for a snapshot: the journal may still grow
  if (!r) {
    const std::lock_guard lock(state_mutex_);
    pending_.insert(0, bytes);
    return not_written(r.error());
  }
  durable_seq_ = up_to;
  ctx_.probe.committed(ctx_.clock.wall(), file_bytes_, files);
  return {};
}

Expected<void> CheckpointStore::write_pending(std::string& bytes) {
  auto r = file_->write(bytes);
  if (r) r = file_->sync();
  if (r) {
    file_bytes_ += bytes.size();
    return {};
  }
  // Take the torn end away; where even that fails, only a new file can be trusted.
  if (!file_->truncate(file_bytes_)) must_rewrite_ = true;
  return r;
}

Expected<void> CheckpointStore::rewrite() {
  const std::int64_t now = ctx_.clock.wall();
  const std::string at = std::to_string(now);
  std::string all;
  {
    const std::lock_guard lock(state_mutex_);
    std::size_t bytes = 2 * kRecordFrame + (globs_ ? globs_->size() : 0);
    for (const auto& [key, encoded] : states_) bytes += encoded.size() + kRecordFrame;
    all.reserve(bytes);
    append_guarded(all, [&](std::string& header) {
      header += R"({"format":")";
      header += kFormat;
      header += R"(","version":)" + std::to_string(kVersion) + ",\"at\":" + at + "}";
    });
    for (const auto& [key, encoded] : states_) {
      append_guarded(all, [&](std::string& payload) {
        payload.append("{\"at\":").append(at).append(",\"files\":[").append(encoded).append("]}");
      });
    }
    if (globs_) append_guarded(all, [&](std::string& payload) { payload += globs_record(now, *globs_); });
    live_bytes_ = all.size();
  }
  const std::string tmp = path(".new");
  {
    auto file = ctx_.fs.open(tmp, OpenMode::create_new);
    if (!file) return std::unexpected(file.error());
    auto r = (*file)->write(all);
    if (r) r = (*file)->sync();
    if (!r) {
      file->reset();
      (void)ctx_.fs.remove(tmp);
      return r;
    }
  }
  file_.reset();
  must_rewrite_ = true;  // until all of this is through
  if (auto kept = ctx_.fs.rename(path(), path(".previous")); !kept && kept.error().code != ENOENT)
    return kept;
  if (auto r = ctx_.fs.rename(tmp, path()); !r) return r;
  if (auto r = ctx_.fs.sync_dir(dir_); !r) return r;
  auto file = ctx_.fs.open(path(), OpenMode::append);
  if (!file) return std::unexpected(file.error());
  file_ = std::move(*file);
  file_bytes_ = all.size();
  must_rewrite_ = false;
  return {};
}

}  // namespace sidelight
