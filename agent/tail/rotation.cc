// Which bytes on disk continue which generation: renamed, copied and compressed files, while running. Files
// that appear: copies.cc. After a stop: restoring.cc.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/tail/rotated_names.h"
#include "agent/tail/tailer.h"

namespace sidelight {
namespace {

// Some file systems tell times to two seconds only.
constexpr std::int64_t kCoarseTimes = 2'500'000'000;

// A name of many more digits than its family's bears a date, or what looks like one.
bool is_dated(std::string_view name, std::string_view family) {
  const auto digits = [](std::string_view s) {
    return std::count_if(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return digits(name) - digits(family) >= 6;
}

}  // namespace

// `head` spares archives of other bytes the inflating; what it gives back is still to be compared.
Expected<std::unique_ptr<File>> Tailer::open_any(const std::string& path, const Mark& head) {
  if (is_gzip_name(path)) return open_gzip(ctx_.fs, path, archives_, head);
  return ctx_.fs.open(path, OpenMode::read);
}

std::string Tailer::find_inode(const std::string& dir, std::uint64_t inode) {
  return listings_.path_of(dir, inode);
}

// Whether the generation that was first seen at `path` can have come to bear this name. Numbers move on with
// each rotation, dates stay. A symlink may lead to a file of another name: that one is rotated then.
bool Tailer::is_rotated_from(const std::string& path, const std::string& real, const std::string& name) {
  if (!has_rotation_mark(name)) return false;
  const std::string first = base_name(path);
  const std::string family = family_name(first);
  if (is_rotated_name(first, name)) return true;
  if (first != family && !is_dated(first, family)) return family == family_name(name);
  const std::string led_to = family_name(base_name(real));
  return led_to != family && is_rotated_name(led_to, name);
}

std::vector<std::string> Tailer::rotated_siblings(const std::string& real) {
  std::vector<std::string> out;
  const std::string dir = dir_name(real);
  const std::string name = family_name(base_name(real));
  const auto& names = listings_.names(dir, rotation_prefix(name));
  for (const std::string_view n : names) {
    if (!is_rotated_name(name, n) || n == base_name(real)) continue;
    const std::string_view plain = is_gzip_name(n) ? n.substr(0, n.size() - 3) : std::string_view();
    if (std::binary_search(names.begin(), names.end(), plain)) continue;  // gzip is at work
    out.push_back(dir + "/" + std::string(n));
  }
  return out;
}

void Tailer::lose(TailedFile& file, LossReason reason, const std::string& how) {
  const auto bytes = file.unread();
  if (bytes > 0) {
    ctx_.probe.lost_bytes(file.input, bytes, reason);
    ctx_.log.error("tail.lost " + file.path, file.path + " " + how + ": " + std::to_string(bytes) +
                                                 " unread bytes behind offset " +
                                                 std::to_string(file.read_to) + " are lost");
  }
  unbind(file);
  close(file);
  file.place = Place::deleted;
  file.whole = true;
  file.seen.size = file.read_to;
  file.dirty = true;
  unnamed_.insert(&file);
}

// Whether the file `st` at `at` is the one that `file` knows. A freed inode is handed out again at once, so
// that the number says something only while a descriptor holds it. Where the birth time is known and the same
// nobody needs to look inside; that it differs says nothing alone (a copy-up changes it).
bool Tailer::is_still(TailedFile& file, const FileStat& st, const std::string& at) {
  if (st.inode != file.seen.inode || st.dev != file.seen.dev) return false;
  if (file.file) return true;
  const bool born = st.birth_ns != 0 && file.seen.birth_ns != 0;
  if (born ? st.birth_ns == file.seen.birth_ns : st.mtime_ns == file.seen.mtime_ns) return true;
  if (file.head.len == 0 || (born && !tells_apart(file.head))) return false;
  auto opened = open_any(at);
  if (!opened) return opened.error().code != ENOENT;
  const auto plain = (*opened)->stat();
  if (!plain) return true;
  // A copy that we were ahead of has less than what was read.
  const bool less = file.whole && plain->size < file.read_to;
  const auto same = less ? bears_marks(**opened, file.head, 0, Mark{})
                         : bears_marks(**opened, file.head, file.read_to, file.tail);
  if (!same) return true;
  if (*same) file.seen.birth_ns = st.birth_ns;
  return *same;
}

// The generation that `st`, found at `at`, is a file of. One that merely had the inode before lets go of it.
TailedFile* Tailer::owner_of(const FileStat& st, const std::string& at) {
  TailedFile* const file = by_inode(st);
  if (file == nullptr || is_still(*file, st, at)) return file;
  lost_its_inode(*file);
  return nullptr;
}

// Its file was deleted while it was closed, and another one has the inode now.
void Tailer::lost_its_inode(TailedFile& file) {
  const bool left = file.place == Place::live;
  leave_path(file);
  unbind(file);
  file.place = Place::deleted;
  file.dirty = true;
  if (file.unread() > 0 && !adopt_copy(file))
    lose(file, LossReason::deleted, "was deleted while it was closed");
  if (left) count_rename(file);
}

// What was deleted without a successor was not rotated.
void Tailer::count_rename(const TailedFile& file) {
  ctx_.log.debug("tail.left " + file.path,
                 file.path + " leads elsewhere; generation " + file.key +
                     (file.place == Place::deleted ? " has no name any more" : " is at " + file.real));
  if (file.place == Place::deleted && !ctx_.fs.stat(file.path)) return;
  ctx_.probe.rotation(RotationKind::rename);
}

// The inode is the same, its bytes are not: copytruncate, or someone emptied the file.
void Tailer::truncated(TailedFile& file) {
  const FileStat before = file.seen;
  const bool was_live = file.place == Place::live;
  auto handle = std::move(file.file);
  if (handle) --open_files_;
  const std::string path = file.path;
  const std::string real = file.real;
  const auto input = file.input;
  unbind(file);
  leave_path(file);
  ctx_.probe.rotation(RotationKind::copytruncate);
  ctx_.log.debug("tail.truncated " + path, real + " was truncated at byte " + std::to_string(file.read_to) +
                                               " of " + std::to_string(before.size) + ", generation " +
                                               file.key);
  if (!adopt_copy(file)) {
    file.seen.size = std::max(before.size, file.read_to);
    lose(file, LossReason::truncated, "was truncated and no copy of it was found");
  }
  if (!was_live) return;
  if (!handle) {
    scan_due_ = true;
    return;
  }
  auto st = handle->stat();
  if (!st || by_inode(*st) != nullptr) {
    scan_due_ = true;
    return;
  }
  auto fresh = std::make_unique<TailedFile>();
  fresh->key = random_key();
  fresh->input = input;
  fresh->path = path;
  fresh->real = real;
  fresh->seen = *st;
  if (auto head = read_head(*handle)) fresh->head = *head;
  fresh->file = std::move(handle);
  if (file.has_news()) {
    fresh->predecessor = &file;
    file.successor = fresh.get();
  }
  add(std::move(fresh), false);
}

// The last look saw the size of what came after.
void Tailer::truncated_and_refilled(TailedFile& file) {
  file.seen.size = std::max(file.sure_size, file.read_to);
  truncated(file);
}

// The user's path leads elsewhere or nowhere now: renamed, deleted, or a symlink was swapped.
void Tailer::left_its_path(TailedFile& file) {
  const std::string live_real = file.real;
  leave_path(file);
  file.dirty = true;
  auto st = file.file ? file.file->stat() : Expected<FileStat>(fail("closed"));
  std::string now_at =
      st && st->links == 0 ? std::string() : find_inode(dir_name(live_real), file.seen.inode);
  // In a directory that may not be listed, a name that is known still leads somewhere.
  if (!st && now_at.empty()) now_at = live_real;
  if (st) {
    file.place = st->links == 0 ? Place::deleted : Place::rotated;
    if (!now_at.empty()) move_to(file, now_at);
    unnamed_.insert(&file);
    take_stat(file, *st);
  } else if (const auto s = now_at.empty() ? Expected<FileStat>(fail("gone")) : ctx_.fs.stat(now_at);
             s && is_still(file, *s, now_at)) {
    file.place = Place::rotated;
    move_to(file, now_at);
    take_stat(file, *s);
  } else {
    unbind(file);
    if (!adopt_copy(file)) lose(file, LossReason::deleted, "was deleted while it was closed");
  }
  count_rename(file);
}

// Looks for a file that holds the bytes that this generation had, and goes on there. The generation is bound
// to nothing.
bool Tailer::adopt_copy(TailedFile& file) {
  if (file.head.len == 0) return false;
  std::string best;
  std::unique_ptr<File> best_file;
  FileStat best_stat;
  bool best_is_ahead = false;  // it has everything that we read, and maybe more
  const std::uint64_t had = file.seen.size;
  auto siblings = rotated_siblings(file.real);
  if (base_name(file.path) != base_name(file.real))
    for (auto& s : rotated_siblings(dir_name(file.real) + "/" + base_name(file.path)))
      siblings.push_back(std::move(s));
  for (auto& s : found_elsewhere(file.path, file.real, file.head)) siblings.push_back(std::move(s));
  for (const auto& path : siblings) {
    auto st = ctx_.fs.stat(path);
    if (!st || !st->is_regular() || owner_of(*st, path) != nullptr) continue;
    auto opened = open_any(path, file.head);
    if (!opened) continue;
    auto plain = (*opened)->stat();
    if (!plain) continue;
    const bool ahead = plain->size >= file.read_to;
    auto same = ahead ? bears_marks(**opened, file.head, file.read_to, file.tail)
                      : bears_marks(**opened, file.head, 0, Mark{});
    if (!same || !*same) continue;
    if (best_file &&
        (best_is_ahead > ahead || (best_is_ahead == ahead && best_stat.mtime_ns >= plain->mtime_ns)))
      continue;
    best = path;
    best_file = std::move(*opened);
    best_stat = *plain;
    best_is_ahead = ahead;
  }
  if (!best_file) return false;
  // Written behind the copy, and truncated before it was read.
  if (const auto kept = std::max(best_stat.size, file.read_to); had > kept) {
    ctx_.probe.lost_bytes(file.input, had - kept, LossReason::truncated);
    ctx_.log.error("tail.lost " + file.path, file.path + " was truncated after it was copied to " + best +
                                                 ": the " + std::to_string(had - kept) +
                                                 " bytes that were written between are lost");
  }
  bind(file, best_stat);
  move_to(file, best);
  file.place = Place::rotated;
  file.whole = true;
  file.examined = 0;
  if (best_is_ahead) {
    close(file);
    file.file = std::move(best_file);
    ++open_files_;
  } else {
    file.seen.size = file.read_to;  // a copy that we are ahead of is fully read
    close(file);
  }
  unnamed_.insert(&file);
  if (is_gzip_name(best)) ctx_.probe.rotation(RotationKind::gzip);
  if (file.has_news()) mark_ready(file);
  return true;
}

// Generations that came and were rotated away before we saw them, whether or not the globs match their names.
void Tailer::adopt_successors(std::uint32_t input, const std::string& path, const std::string& real,
                              std::int64_t since_ns) {
  struct Candidate {
    std::string path;
    FileStat stat;
  };
  std::vector<Candidate> candidates;
  for (const auto& sibling : rotated_siblings(real)) {
    auto st = ctx_.fs.stat(sibling);
    if (!st || !st->is_regular() || st->mtime_ns < since_ns || owner_of(*st, sibling) != nullptr) continue;
    if (auto at = ctx_.fs.real_path(sibling); at && discovery_->is_own(*at)) continue;
    candidates.push_back({sibling, *st});
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return std::pair(a.stat.mtime_ns, a.stat.birth_ns) < std::pair(b.stat.mtime_ns, b.stat.birth_ns);
  });
  std::vector<TailedFile*> adopted;
  for (const auto& c : candidates) {
    auto opened = open_any(c.path);
    if (!opened || is_left_alone(c.path, **opened)) continue;
    auto st = (*opened)->stat();
    if (!st || by_inode(*st) != nullptr || is_copy({c.path, input, *st}, **opened, *st) ||
        by_inode(*st) != nullptr)
      continue;
    auto file = std::make_unique<TailedFile>();
    file->key = random_key();
    file->input = input;
    file->path = path;
    file->real = c.path;
    file->place = Place::rotated;
    file->seen = *st;
    file->whole = is_gzip_name(c.path);
    if (auto head = read_head(**opened)) file->head = *head;
    file->file = std::move(*opened);
    if (file->whole) ctx_.probe.rotation(RotationKind::gzip);
    ctx_.log.info("tail.successor", c.path + " was written and rotated while nobody looked; it is read now");
    adopted.push_back(&add(std::move(file), false));
  }
  put_in_order(path, adopted);
}

void Tailer::link(TailedFile& first, TailedFile& second) {
  if (first.successor != nullptr) first.successor->predecessor = nullptr;
  if (second.predecessor != nullptr) second.predecessor->successor = nullptr;
  first.successor = &second;
  second.predecessor = &first;
}

// The youngest generation that left this path unread, without a successor.
TailedFile* Tailer::last_before(const std::string& path, const std::vector<TailedFile*>& except) {
  TailedFile* last = nullptr;
  for (TailedFile* f : families_.relatives(dir_name(path), base_name(path))) {
    if (f->path != path || f->successor != nullptr || f->unread() == 0 || !unnamed_.contains(f)) continue;
    if (std::find(except.begin(), except.end(), f) != except.end()) continue;
    if (last == nullptr || f->last_growth >= last->last_growth) last = f;
  }
  return last;
}

// `left` left this path, oldest first: each is read behind the one before it, and the live file behind all,
// unless that was begun, be it with what an open event of the one before brought. What is empty would hold up
// nothing, and is passed over.
void Tailer::put_in_order(const std::string& path, const std::vector<TailedFile*>& left) {
  if (left.empty()) return;
  TailedFile* live = live_at(path);
  if (live != nullptr &&
      (live->read_to > 0 || (live->predecessor != nullptr && live->predecessor->unread() == 0)))
    live = nullptr;
  TailedFile* last = live != nullptr ? live->predecessor : nullptr;
  if (last == nullptr) last = last_before(path, left);
  for (TailedFile* f : left) {
    if (f->unread() == 0) continue;
    if (last != nullptr) link(*last, *f);
    last = f;
  }
  if (live != nullptr && last != nullptr && live->predecessor != last) link(*last, *live);
}

// Generations of logs that the globs match, rotated away before anything of them was seen.
void Tailer::adopt_missed(std::int64_t since_ns) {
  for (const auto& dir : discovery_->directories()) rotation_dirs_.insert(dir);
  for (auto it = rotation_dirs_.begin(); it != rotation_dirs_.end();) {
    const std::string& dir = *it;
    std::vector<std::string> marked;
    // What was renamed since it was listed is under a name that the listing does not know.
    const auto dir_stat = ctx_.fs.stat(dir);
    const bool unchanged =
        dir_stat && std::max(dir_stat->mtime_ns, dir_stat->ctime_ns) < since_ns - kCoarseTimes;
    if (const auto* known = discovery_->marked_in(dir); unchanged && known != nullptr) {
      marked = *known;
    } else if (auto entries = ctx_.fs.list(dir)) {
      for (const auto& e : *entries)
        if (has_rotation_mark(e.name)) marked.push_back(e.name);
    } else {
      it = entries.error().code == ENOENT ? rotation_dirs_.erase(it) : std::next(it);
      continue;
    }
    std::set<std::string> families;
    for (const std::string& name : marked) {
      const std::string family = family_name(name);
      if (!is_rotated_name(family, name) || families.contains(family)) continue;
      const std::string at = dir + "/" + name;
      auto st = ctx_.fs.stat(at);
      if (!st || st->mtime_ns < since_ns || owner_of(*st, at) != nullptr) continue;
      families.insert(family);
    }
    for (const auto& family : families) {
      const std::string path = dir + "/" + family;
      if (const auto input = discovery_->input_of(path)) adopt_successors(*input, path, path, since_ns);
      // A symlink that the globs match may lead to it.
      if (const auto led_to = reals_.find(path); led_to != reals_.end() && led_to->second->path != path)
        adopt_successors(led_to->second->input, led_to->second->path, path, since_ns);
    }
    ++it;
  }
}

}  // namespace sidelight
