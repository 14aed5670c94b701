// What goes on on disk: notifications, scans, files that appear, grow and go away.
#include <algorithm>
#include <array>
#include <utility>

#include "agent/tail/compression.h"
#include "agent/tail/rotated_names.h"
#include "agent/tail/tailer.h"

namespace sidelight {
namespace {

constexpr std::chrono::milliseconds kUnnamedPoll{250};
// Files are stamped with the time of the last clock tick, which may lie before a moment that was read from
// the clock.
constexpr std::int64_t kTimestampGrain = 50'000'000;
constexpr std::uint64_t kLineSearch = 64 * 1024;
constexpr std::size_t kMostAbsent = 2000;

// The start of the last, possibly unfinished line before `size`.
std::uint64_t last_line_start(const File& file, std::uint64_t size) {
  const auto n = std::min(size, kLineSearch);
  std::string bytes(static_cast<std::size_t>(n), '\0');
  auto got = file.read_at(bytes.data(), bytes.size(), size - n);
  if (!got || *got != bytes.size()) return size;
  const auto nl = bytes.rfind('\n');
  return nl == std::string::npos ? size : size - n + nl + 1;
}

SavedFile to_save(const TailedFile& file) {
  return {.key = file.key,
          .path = file.path,
          .real = file.real,
          .dev = file.seen.dev,
          .inode = file.seen.inode,
          .birth_ns = file.seen.birth_ns,
          .size = file.seen.size,
          .head = file.head,
          .offset = file.read_to,
          .tail = file.tail,
          .finished = true,
          .missed = true};
}

}  // namespace

void Tailer::handle(const std::vector<FileChange>& changes) {
  if (!changes.empty()) ++looks_;
  for (const auto& c : changes) {
    if (c.kind == FileChange::Kind::listing || c.name.empty()) {
      scan_due_ = true;
      listings_.clear();
      continue;
    }
    std::string path = c.dir;
    if (path.back() != '/') path += '/';
    path += c.name;
    if (const auto it = reals_.find(path); it != reals_.end()) {
      look(*it->second);
    } else if (copies_.contains(path) || unreadable_.contains(path)) {
      scan_due_ = true;
    }
  }
}

void Tailer::scan() {
  ++looks_;
  const MonoTime begin = ctx_.clock.now();
  const std::int64_t begin_wall = ctx_.clock.wall();
  scan_due_ = false;
  listings_.clear();
  copies_.clear();
  unreadable_.clear();
  ignored_ = 0;
  auto found = discovery_->scan();
  empty_inputs_.look(found, discovery_->overlaps(), begin);
  for (const auto& b : discovery_->barred()) unreadable({b.path, b.input, b.dir}, b.error);
  // First what left its path, so that a file that appears elsewhere is known for what it is; then what is
  // there.
  const std::vector<TailedFile*> left = compare(found);
  found_at_ = index_of(found);
  found_heads_.reset();
  // Live names before rotated ones: a copy is recognised by its original.
  std::partition(found.begin(), found.end(),
                 [](const FoundFile& f) { return !has_rotation_mark(base_name(f.path)); });
  for (auto* f : left) {
    follow(*f, found_at(f->seen));
    if (!f->file && is_away(*f)) {
      leave_path(*f);
      f->place = Place::rotated;
      f->dirty = true;
    } else {
      left_its_path(*f);
    }
  }
  const bool taken_up = !absent_.empty() && known_until_ns_ > 0 && take_up_absent(found);
  for (const auto& f : found) take_found(f);
  if (taken_up) adopt_unseen();
  if (known_until_ns_ > 0) adopt_missed(known_until_ns_);
  known_until_ns_ = begin_wall - kTimestampGrain;
  forget_vanished();
  hold_to_disk_budget();
  note_unheard();
  listings_.clear();
  found_at_.reset();
  found_heads_.reset();
  by_head_.reset();
  report();
  const MonoTime end = ctx_.clock.now();
  may_scan_ = end + 20 * (end - begin);
  next_scan_ = end + (discovery_->must_poll() ? limits_.poll_interval : limits_.rescan_interval);
}

// Gives the live files that are not found, or have been replaced. Takes out of `found` what is as it was:
// nearly all, of ten thousand quiet files.
std::vector<TailedFile*> Tailer::compare(std::vector<FoundFile>& found) {
  ++scans_;
  std::vector<TailedFile*> left;
  std::size_t there = 0;
  std::erase_if(found, [&](const FoundFile& f) {
    TailedFile* const current = live_at(f.path);
    if (current == nullptr) return false;
    if (current->found_by_scan != scans_) ++there;
    current->found_by_scan = scans_;
    if (current->seen == f.stat) return !current->has_news() && !current->failed;
    if (current->seen.inode != f.stat.inode || current->seen.dev != f.stat.dev) left.push_back(current);
    return false;
  });
  if (there == live_.size()) return left;
  for (const auto& [path, file] : live_)
    if (file->found_by_scan != scans_) left.push_back(file);
  return left;
}

Tailer::FoundIndex Tailer::index_of(const std::vector<FoundFile>& found) {
  FoundIndex index;
  for (const auto& f : found) index.emplace(InodeId{f.stat.dev, f.stat.inode}, f.path);
  return index;
}

// Where the globs lead to this inode, if it is not where it was; any directory that they match. At the start,
// before the first scan, they are walked for it.
std::string Tailer::found_at(const FileStat& st) {
  if (!found_at_) found_at_ = index_of(discovery_->scan());
  const auto it = found_at_->find({st.dev, st.inode});
  return it == found_at_->end() ? std::string() : it->second;
}

// It was found at `path`; its own name does not lead to it any more.
void Tailer::follow(TailedFile& file, const std::string& path) {
  if (path.empty() || path == file.real) return;
  const auto there = ctx_.fs.stat(path);
  if (!there || !is_still(file, *there, path)) return;
  const auto before = ctx_.fs.lstat(file.real);
  if (before && before->inode == file.seen.inode && before->dev == file.seen.dev) return;
  const auto real = ctx_.fs.real_path(path);
  if (!real || *real == file.real) return;
  move_to(file, *real);
  file.dirty = true;
}

void Tailer::take_found(const FoundFile& found) {
  TailedFile* known = owner_of(found.stat, found.path);
  TailedFile* current = live_at(found.path);
  if (known != nullptr && known == current) return take_stat(*known, found.stat);
  if (known != nullptr && known->place == Place::live) {
    auto st = ctx_.fs.stat(known->path);
    if (st && st->inode == known->seen.inode && st->dev == known->seen.dev) {
      if (warned_twice_.insert(found.path).second)
        ctx_.log.warn("tail.twice", found.path + " is the same file as " + known->path +
                                        "; it is read once, as the latter");
      return;
    }
    left_its_path(*known);  // renamed to another name that the globs match
    known = by_inode(found.stat);
  }
  if (current != nullptr && current != known) left_its_path(*current);
  known = by_inode(found.stat);
  if (known == nullptr) return discover(found);
  if (known->path == found.path && known->place != Place::live) {  // it came back under its old name
    if (auto real = ctx_.fs.real_path(found.path)) move_to(*known, *real);
    make_live(*known);
  } else if (known->place != Place::live) {
    follow(*known, found.path);
  }
  take_stat(*known, found.stat);
}

void Tailer::discover(const FoundFile& found) {
  if (files_.size() >= limits_.max_files) {
    ++ignored_;
    ctx_.log.error("tail.max_files",
                   "more than tailing.max_files files match; " + found.path + " and others wait");
    return;
  }
  const std::string name = base_name(found.path);
  if (const auto what = compression_named(name); !what.empty()) return leave_alone(found.path, what);
  if (is_gzip_name(name)) {
    // While the plain file is still there, gzip is at work.
    if (ctx_.fs.stat(found.path.substr(0, found.path.size() - 3))) return;
  }
  make_room_for_descriptor();
  auto opened = open_any(found.path);
  if (!opened) return unreadable(found, opened.error());
  auto st = (*opened)->stat();
  if (!st) return;
  if (st->inode != found.stat.inode || st->dev != found.stat.dev) {
    scan_due_ = true;  // replaced under our hands
    return;
  }
  if (is_left_alone(found.path, **opened)) return;
  if (is_copy(found, **opened, *st)) return;
  if (by_inode(*st) != nullptr) return;  // became known while copies were looked at

  auto real = ctx_.fs.real_path(found.path);
  if (real && discovery_->is_own(*real)) return;  // a symlink to it
  auto file = std::make_unique<TailedFile>();
  file->key = random_key();
  file->input = found.input;
  file->path = found.path;
  file->real = real ? *real : found.path;
  file->seen = *st;
  file->whole = is_gzip_name(name);
  if (auto head = read_head(**opened)) file->head = *head;
  if (inputs_[found.input].start == StartAt::end) start_at_end(found, *file, **opened);
  file->file = std::move(*opened);
  // The youngest generation that left this path is read to its end first.
  if (TailedFile* const last = last_before(found.path, {}); last != nullptr) link(*last, *file);
  add(std::move(file), false);
}

// Compressed, under a name that does not say so.
bool Tailer::is_left_alone(const std::string& path, const File& opened) {
  if (is_gzip_name(path)) return false;
  std::array<char, kCompressionMark> head{};
  const std::size_t n = opened.read_at(head.data(), head.size(), 0).value_or(0);
  const auto what = compression_of({head.data(), n});
  if (!what.empty()) leave_alone(path, what);
  return !what.empty();
}

void Tailer::leave_alone(const std::string& path, std::string_view compression) {
  if (left_alone_.size() >= kMostAbsent) left_alone_.clear();
  if (left_alone_.insert(path).second)
    ctx_.log.info("tail.compressed",
                  path + " is compressed (" + std::string(compression) +
                      ") and left alone; of compressed files only those named .gz are read");
}

void Tailer::start_at_end(const FoundFile& found, TailedFile& file, const File& opened) {
  if (past_ == nullptr) return;
  if (past_->first_start || (past_->globs && !past_->globs->contains(discovery_->globs()[found.glob]))) {
    file.read_to = last_line_start(opened, file.seen.size);
    if (auto tail = read_tail(opened, file.read_to)) file.tail = *tail;
    if (file.read_to > 0)
      ctx_.log.info("tail.start", file.path + " is read from its end (start: end); " +
                                      std::to_string(file.read_to) + " bytes are left out");
  } else if (!past_->globs && file.seen.size > 0) {
    // It may have been made while the program was down: nobody can tell, and a loss would be worse.
    ctx_.log.warn(
        "tail.start " + file.path,
        file.path + " (" + std::to_string(file.seen.size) +
            " bytes) is read from its beginning in spite of start: end: the checkpoint does not say "
            "whether it was watched before");
  }
}

void Tailer::unreadable(const FoundFile& found, const Error& error) {
  if (error.code == ENOENT) return;
  unreadable_.insert(found.path);
  std::string message = error.message;
  if (error.code == EACCES || error.code == EPERM)
    message += (found.stat.is_directory() ? "; its directory" : "") + rights_text(found.stat);
  ctx_.log.warn("tail.unreadable " + found.path, message);
}

void Tailer::note_unheard() {
  unheard_files_.clear();
  unheard_dirs_.clear();
  for (const auto& dir : discovery_->unheard())
    if (auto st = ctx_.fs.stat(dir)) unheard_dirs_[dir] = st->mtime_ns;
  if (unheard_dirs_.empty()) return;
  for (const auto& [path, file] : live_)
    if (unheard_dirs_.contains(dir_name(path)) || unheard_dirs_.contains(dir_name(file->real)))
      unheard_files_.push_back(path);
}

// Instead of a scan of everything because of one directory.
void Tailer::look_at_unheard() {
  ++looks_;
  for (const auto& [dir, mtime_ns] : unheard_dirs_) {
    auto st = ctx_.fs.stat(dir);
    if (st ? st->mtime_ns != mtime_ns : st.error().code != EACCES) scan_due_ = true;
  }
  for (const auto& path : unheard_files_) {
    TailedFile* file = live_at(path);
    if (file == nullptr) continue;
    auto st = ctx_.fs.stat(path);
    if (!st || !is_still(*file, *st, path)) {
      scan_due_ = true;
    } else {
      take_stat(*file, *st);
    }
  }
  next_unheard_look_ = ctx_.clock.now() + limits_.poll_interval;
}

void Tailer::look(TailedFile& file) {
  if (file.whole && !file.file) return;
  auto st = file.file ? file.file->stat() : ctx_.fs.stat(file.real);
  if (file.whole) {
    if (st) take_links(file, *st);
    return;
  }
  if (!st || !is_still(file, *st, file.real)) {
    scan_due_ = true;
    return;
  }
  take_stat(file, *st);
}

void Tailer::take_stat(TailedFile& file, const FileStat& st) {
  if (file.whole) return;
  if (st.size < file.seen.size) {
    // Shorter than it was: truncated, unless this look is older than our last one.
    auto now = file.file ? file.file->stat() : ctx_.fs.stat(file.real);
    if (!now || now->inode != file.seen.inode || now->size >= file.seen.size) return;
    return truncated(file);
  }
  const bool rewritten = st.size == file.seen.size && st.mtime_ns != file.seen.mtime_ns && !file.has_news();
  if (st.size != file.seen.size) {
    file.sure_size = file.seen.size;
    file.last_growth = ctx_.clock.now();
    file.dirty = true;
  }
  file.seen = st;
  if (rewritten && was_replaced(file)) return;
  if (std::exchange(file.failed, false)) file.examined = 0;
  take_links(file, st);
  if (file.has_news()) {
    if (!file.file && file.place != Place::live) unnamed_.insert(&file);
    mark_ready(file);
  }
}

void Tailer::take_links(TailedFile& file, const FileStat& st) {
  if (st.links > 0 || file.place != Place::rotated) return;
  file.place = Place::deleted;
  file.dirty = true;
}

// A file without news that was written to and is as long as it was: other bytes of the same length are there,
// as a program leaves them that writes its status anew, or the same ones (what was read went ahead of the
// last look; a touch). True when the set was brought up to date.
bool Tailer::was_replaced(TailedFile& file) {
  if (file.read_to == 0 || (!file.file && file.place != Place::live)) return false;
  if (!file.file) return !open(file);  // which compares
  const auto same = bears_marks(*file.file, file.head, file.read_to, file.tail);
  if (!same || *same) return false;
  truncated(file);
  return true;
}

void Tailer::poll_unnamed() {
  ++looks_;
  std::vector<TailedFile*> some(unnamed_.begin(), unnamed_.end());
  for (auto* f : some) {
    if (!files_.contains(f)) continue;
    look(*f);
    if (!files_.contains(f) || !may_retire(*f)) continue;
    if (f->place == Place::deleted) {
      scan_due_ = true;  // a compressed copy may stand in for it; the scan sees that, and drops what has none
      continue;
    }
    close(*f);  // stays known by its inode as long as the file exists
    unnamed_.erase(f);
    f->dirty = true;
  }
  hold_to_disk_budget();
  report();
  next_unnamed_poll_ = ctx_.clock.now() + kUnnamedPoll;
}

bool Tailer::may_retire(const TailedFile& file) const {
  if (!file.at_end() || !file.settled) return false;
  return file.whole || ctx_.clock.now() - file.last_growth >= limits_.close_rotated_after;
}

void Tailer::forget_vanished() {
  std::vector<TailedFile*> gone;
  std::vector<std::pair<TailedFile*, FileStat>> grown;
  for (auto& [pointer, file] : files_) {
    if (file->place == Place::deleted && may_retire(*file)) gone.push_back(file.get());
    if (file->place != Place::rotated || file->file) continue;
    auto st = ctx_.fs.lstat(file->real);
    if (st && is_still(*file, *st, file->real)) {
      if (!file->whole && st->size > file->seen.size) grown.emplace_back(file.get(), *st);
      continue;
    }
    const std::string at = listings_.path_of(dir_name(file->real), file->seen.inode);
    const auto there = at.empty() ? Expected<FileStat>(fail("gone")) : ctx_.fs.lstat(at);
    if (there && is_still(*file, *there, at)) {
      move_to(*file, at);
      file->dirty = true;
    } else {
      gone.push_back(file.get());
    }
  }
  // A writer that still has it open; not one that put other bytes there.
  for (const auto& [f, st] : grown) {
    auto opened = open_any(f->real);
    if (!opened) continue;
    if (const auto same = bears_marks(**opened, f->head, f->read_to, f->tail); same && *same)
      take_stat(*f, st);
  }
  for (auto* f : gone) {
    if (f->place == Place::rotated && went_away(*f)) continue;
    unbind(*f);
    if (f->unread() > 0) {
      if (adopt_copy(*f)) continue;
      lose(*f, LossReason::deleted, "was deleted while it was closed");
    }
    if (f->settled) drop(*f);
  }
}

bool Tailer::is_away(const TailedFile& file) {
  const SavedFile known = to_save(file);
  return is_elsewhere(known) || is_barred(known);
}

// Whether its directory is away or closed to us, so that nothing is known about the file, which is closed:
// then its position is kept, once it is settled, as it is when the directory is away at a start.
bool Tailer::went_away(TailedFile& file) {
  if (!is_away(file)) return false;
  if (const auto bytes = file.unread(); bytes > 0) {
    ctx_.probe.lost_bytes(file.input, bytes, LossReason::deleted);
    ctx_.log.error("tail.lost " + file.path,
                   file.path + " went away with its directory: " + std::to_string(bytes) +
                       " unread bytes behind offset " + std::to_string(file.read_to) +
                       " count as lost, unless it comes back within seven days");
    file.seen.size = file.read_to;
    file.dirty = true;
  }
  if (!file.settled) return true;
  while (absent_.size() >= kMostAbsent) {
    ctx_.listener.on_absent_gone(absent_.front().key);
    absent_.erase(absent_.begin());
  }
  absent_.push_back(to_save(file));
  ctx_.log.debug("tail.away", file.path + " went away with its directory (" + dir_name(file.real) +
                                  "); should it come back, reading goes on at " +
                                  std::to_string(file.read_to));
  ctx_.listener.on_absent(file);
  remove(file);
  return true;
}

void Tailer::hold_to_disk_budget() {
  std::uint64_t held = 0;
  std::vector<TailedFile*> deleted;
  for (auto* f : unnamed_) {
    if (f->place != Place::deleted || !f->file) continue;
    held += f->unread();
    if (f->unread() > 0) deleted.push_back(f);
  }
  std::sort(deleted.begin(), deleted.end(), [](auto* a, auto* b) { return a->last_growth < b->last_growth; });
  for (auto* f : deleted) {
    if (held <= limits_.deleted_files_budget) break;
    held -= f->unread();
    lose(*f, LossReason::overflow, "was deleted while unread, and tailing.deleted_files_budget is used up");
  }
  ctx_.probe.deleted_bytes_held(held);
}

}  // namespace sidelight
