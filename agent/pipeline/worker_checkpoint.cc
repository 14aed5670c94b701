// The worker's side of the checkpoint: what it takes up at the start, what it writes down, what it reports
// then.
#include <algorithm>
#include <utility>

#include "agent/pipeline/worker.h"

namespace sidelight {
namespace {

// How long a position waits for its file's directory, or for a configuration that matches it.
constexpr Nanos kAbsentKept = std::chrono::days(7);
constexpr std::size_t kMostAbsent = 2000;

}  // namespace

void Worker::restore() {
  TailPast past;
  for (auto& s : ctx_.store.states()) {
    if (s.absent_since_ns != 0 && ctx_.clock.wall() - s.absent_since_ns > kAbsentKept.count()) {
      ctx_.store.forget(s.key);
      continue;
    }
    const auto low = std::min(s.lane[0], s.lane[1]);
    past.files.push_back({s.key, s.path, s.real, s.dev, s.inode, s.birth_ns, s.size,
                          Mark{s.head_len, s.head_hash}, low, Mark{s.tail_len, s.tail_hash}, s.finished,
                          s.absent_since_ns != 0});
    restoring_.emplace(s.key, std::move(s));
  }
  past.saved_at_ns = ctx_.store.loaded_saved_at_ns();
  past.globs = ctx_.store.globs();
  past.first_start = ctx_.store.first_start() && !past.globs;  // a reload is no start
  tailer_->restore(past, std::exchange(inherited_, {}));
  keep_absent();
  // Behind the positions of the files that they lead to: else a crash could leave them known, and those files
  // to be read from their beginning.
  save_unsaved();
  ctx_.store.put_globs(tailer_->globs());
  // From now on there is a checkpoint: the next start is not the first one, even if nothing is read until
  // then.
  if (auto r = ctx_.store.sync_all(); !r) ctx_.log.error("checkpoint.write", r.error().message);
  next_checkpoint_ = ctx_.clock.now();
}

// What found no file again is not needed any more, unless nobody could look for it.
void Worker::keep_absent() {
  std::unordered_map<std::string, CheckpointState> kept;
  std::vector<CheckpointState> first_missed;
  for (const SavedFile& f : tailer_->absent()) {
    const auto it = restoring_.find(f.key);
    if (it == restoring_.end() || kept.size() == kMostAbsent) continue;
    auto node = restoring_.extract(it);
    if (node.mapped().absent_since_ns == 0) {
      node.mapped().absent_since_ns = ctx_.clock.wall();
      first_missed.push_back(node.mapped());
    }
    kept.insert(std::move(node));
  }
  for (const auto& [key, state] : restoring_) ctx_.store.forget(key);
  restoring_ = std::move(kept);
  if (!first_missed.empty()) ctx_.store.put(first_missed);
}

// Bytes that are there already are at least as old as the last change of their file; those that an earlier
// run was behind with, as that. Else a program that starts again and again would never be late.
void Worker::note_age(Stream& s, Behind earlier) {
  const FileStat& seen = s.file->seen;
  const MonoTime now = ctx_.clock.now();
  const std::int64_t wall = ctx_.clock.wall();
  const auto at = [&](std::int64_t ns) {
    return now - Nanos(ns == 0 ? 0 : std::max<std::int64_t>(wall - ns, 0));
  };
  if (earlier.since_ns != 0)
    s.note_size(std::min(earlier.size, seen.size), std::min(at(earlier.since_ns), at(seen.mtime_ns)));
  s.note_size(seen.size, at(seen.mtime_ns));
}

CheckpointState Worker::state_of(const Stream& s) const {
  CheckpointState state = s.state();
  const MonoTime now = ctx_.clock.now();
  if (!s.growth.empty()) state.behind_since_ns = ctx_.clock.wall() - (now - s.behind_since(now)).count();
  return state;
}

void Worker::on_absent(TailedFile& file) {
  CheckpointState state = state_of(stream_of(file));
  state.absent_since_ns = ctx_.clock.wall();
  ctx_.store.put({state});
  restoring_.insert_or_assign(file.key, std::move(state));
  remove_stream(stream_of(file));
}

void Worker::on_absent_gone(const std::string& key) {
  restoring_.erase(key);
  ctx_.store.forget(key);
}

void Worker::save(const std::vector<Stream*>& streams) {
  saved_seq_ = ctx_.store.put(streams.size(), [&](std::size_t i) { return state_of(*streams[i]); });
}

void Worker::save_unsaved() {
  if (unsaved_.empty()) return;
  const std::vector<Stream*> streams(unsaved_.begin(), unsaved_.end());
  for (Stream* s : streams) s->unsaved = false;
  unsaved_.clear();
  save(streams);
}

void Worker::checkpoint() {
  const MonoTime now = ctx_.clock.now();
  next_checkpoint_ = now + options_.checkpoint_interval;
  std::vector<Stream*> changed;
  for (auto it = active_.begin(); it != active_.end();) {
    Stream& s = **it;
    s.note_size(s.file->seen.size, now);
    const auto progress = ctx_.ledger.take(s.id);
    s.oldest_unsettled = progress.idle ? now : progress.oldest;
    if (progress.advanced_to) {
      s.committed = *progress.advanced_to;
      carried_ -= s.carry.size();
      s.trim();
      carried_ += s.carry.size();
    }
    const bool was_settled = s.file->settled;
    s.file->settled = progress.idle && !waiting_.contains(&s) &&
                      s.committed.position.low() == s.file->read_to && s.file->at_end();
    if (progress.advanced_to || s.file->dirty || s.unsaved || was_settled != s.file->settled) {
      changed.push_back(&s);
      s.file->dirty = false;
      s.unsaved = false;
      unsaved_.erase(&s);
    }
    const bool quiet = progress.idle && s.file->settled;
    if (quiet) {
      s.doc_templates.clear();  // of ten thousand quiet files each would keep one
      s.growth = {};
    }
    it = quiet ? active_.erase(it) : std::next(it);
  }
  // Files that changed without being read: new sizes, renames, retirements; unread bytes count as lag from
  // now on.
  if (looks_ != tailer_->looks()) {
    tailer_->for_each([&](TailedFile& f) {
      Stream& s = stream_of(f);
      if (f.unread() > 0 && active_.insert(&s).second) {
        s.oldest_unsettled = now;
        s.note_size(f.seen.size, now);
      }
      if (!f.dirty) return;
      f.dirty = false;
      changed.push_back(&s);
    });
    looks_ = tailer_->looks();
  }
  save(changed);
  report(now);
}

void Worker::report(MonoTime now) {
  std::vector<std::uint64_t> bytes(inputs_.size());
  std::vector<double> seconds(inputs_.size());
  for (const Stream* s : active_) {
    const auto low = s->committed.position.low();
    const std::uint64_t behind = s->file->seen.size > low ? s->file->seen.size - low : 0;
    bytes[s->file->input] += behind;
    if (behind == 0) continue;
    const auto age = std::chrono::duration<double>(now - s->behind_since(now)).count();
    seconds[s->file->input] = std::max(seconds[s->file->input], age);
  }
  for (std::uint32_t i = 0; i < inputs_.size(); ++i) ctx_.probe.lag(i, bytes[i], seconds[i]);
  ctx_.probe.in_flight(ctx_.budget.used(), ctx_.budget.cap());
  report_files(now);
}

void Worker::report_files(MonoTime now) {
  constexpr std::size_t kMost = 50;
  const auto undelivered = [](const Stream* s) {
    const auto low = s->committed.position.low();
    return std::max(s->file->seen.size, low) - low;
  };
  std::vector<const Stream*> shown(active_.begin(), active_.end());
  const std::size_t most = std::min(kMost, shown.size());
  std::partial_sort(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(most), shown.end(),
                    [&](const Stream* a, const Stream* b) { return undelivered(a) > undelivered(b); });
  shown.resize(most);
  for (auto it = streams_.begin(); it != streams_.end() && shown.size() < kMost; ++it)
    if (!active_.contains(it->second.get())) shown.push_back(it->second.get());
  std::vector<FileProgress> progress;
  for (const Stream* s : shown) {
    const auto low = s->committed.position.low();
    const std::uint64_t behind = undelivered(s);
    const double seconds = behind > 0 ? std::chrono::duration<double>(now - s->behind_since(now)).count() : 0;
    progress.push_back({s->source->path, s->file->input, low + behind, s->file->read_to, low, seconds});
  }
  ctx_.probe.files(progress, streams_.size());
}

}  // namespace sidelight
