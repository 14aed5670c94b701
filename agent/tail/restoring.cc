// What the checkpoint knew, found again on disk: at the start, or when a directory appears later.
#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "agent/tail/rotated_names.h"
#include "agent/tail/tailer.h"

namespace sidelight {

void Tailer::take_up(const std::vector<SavedFile>& saved) {
  // By inode first, wherever the file is; only what is left is looked for by content, among files that are
  // nobody's yet.
  std::vector<const SavedFile*> left;
  for (const auto& file : saved) {
    if (!restore_by_inode(file)) left.push_back(&file);
    rotation_dirs_.insert(dir_name(file.real));
    rotation_dirs_.insert(dir_name(file.path));
  }
  // Who is known best goes first: the few bytes of a young file match too much.
  std::sort(left.begin(), left.end(), [](const auto* a, const auto* b) {
    return std::max<std::uint64_t>(a->head.len, a->offset) > std::max<std::uint64_t>(b->head.len, b->offset);
  });
  for (const auto* file : left)
    if (!restore_by_content(*file)) not_found(*file);
}

// Files that nobody knows lie where some are missing. True when something was taken up.
bool Tailer::take_up_absent(const std::vector<FoundFile>& found) {
  std::set<std::string> dirs;
  for (const auto& f : found) {
    if (by_inode(f.stat) != nullptr) continue;
    dirs.insert(dir_name(f.path));
    if (const auto real = ctx_.fs.real_path(f.path)) dirs.insert(dir_name(*real));
  }
  const auto first = std::partition(absent_.begin(), absent_.end(), [&](const SavedFile& s) {
    return !s.barred && !dirs.contains(dir_name(s.real)) && !dirs.contains(dir_name(s.path));
  });
  if (first == absent_.end()) return false;
  const std::vector<SavedFile> there(std::make_move_iterator(first), std::make_move_iterator(absent_.end()));
  absent_.erase(first, absent_.end());
  take_up(there);
  std::set<std::string_view> found_again;
  for (const auto& [pointer, file] : files_) found_again.insert(file->key);
  std::set<std::string_view> waiting;
  for (const SavedFile& s : absent_) waiting.insert(s.key);
  for (const SavedFile& s : there) {
    if (found_again.contains(s.key)) {
      ctx_.log.info("tail.back", s.path + " is back; reading goes on at " + std::to_string(s.offset));
    } else if (!waiting.contains(s.key)) {
      ctx_.listener.on_absent_gone(s.key);
    }
  }
  return true;
}

// What was taken up and left its path unread is read in its order; what a scan linked until then was linked
// by chance.
void Tailer::order_restored() {
  std::map<std::string, std::vector<TailedFile*>> left;
  for (const auto& [pointer, file] : files_)
    if (file->place != Place::live && file->unread() > 0 && unnamed_.contains(file.get()))
      left[file->path].push_back(file.get());
  for (auto& [path, files] : left) {
    for (TailedFile* f : files) {
      if (f->successor != nullptr) f->successor->predecessor = nullptr;
      f->successor = nullptr;
    }
    std::sort(files.begin(), files.end(), [](const TailedFile* a, const TailedFile* b) {
      return std::pair(a->seen.mtime_ns, a->seen.birth_ns) < std::pair(b->seen.mtime_ns, b->seen.birth_ns);
    });
    put_in_order(path, files);
  }
}

// Successors of what was taken up. Only when every generation that we know, and every live file, is bound:
// copies are told from originals.
void Tailer::adopt_unseen() {
  struct Chain {
    std::uint32_t input;
    std::string path;
    std::string real;
    std::int64_t since;
  };
  order_restored();
  std::vector<Chain> chains;
  for (const auto& [pointer, file] : files_)
    if (file->place == Place::rotated && file->file)
      chains.push_back({file->input, file->path, file->real, file->seen.mtime_ns});
  for (const auto& c : chains) {
    adopt_successors(c.input, c.path, c.path, c.since);
    if (dir_name(c.real) != dir_name(c.path)) adopt_successors(c.input, c.path, c.real, c.since);
  }
  adopt_missed(saved_at_ns_);
}

bool Tailer::restore_by_inode(const SavedFile& saved) {
  const auto input = discovery_->input_of(saved.path);
  if (!input) return false;
  const auto is_at = [&](const std::string& at) {
    if (at.empty()) return false;
    auto st = ctx_.fs.stat(at);
    return st && st->inode == saved.inode && restore_from(saved, *input, at, true);
  };
  // Where it was, mostly; a directory is listed only for what has moved.
  return is_at(saved.real) || is_at(saved.path) || is_at(find_inode(dir_name(saved.real), saved.inode)) ||
         is_at(find_inode(dir_name(saved.path), saved.inode)) || is_at(found_at({saved.dev, saved.inode})) ||
         restore_open(saved, *input);
}

bool Tailer::restore_open(const SavedFile& saved, std::uint32_t input) {
  const auto it = inherited_.find({saved.dev, saved.inode});
  return it != inherited_.end() && restore_as(saved, input, saved.real, true, std::move(it->second));
}

bool Tailer::restore_by_content(const SavedFile& saved) {
  const auto input = discovery_->input_of(saved.path);
  if (!input || saved.head.len == 0) return false;
  auto siblings = rotated_siblings(saved.path);
  for (auto& s : rotated_siblings(saved.real)) siblings.push_back(std::move(s));
  auto real = ctx_.fs.real_path(saved.path);
  siblings.push_back(real ? *real : saved.path);
  for (auto& s : found_elsewhere(saved.path, saved.real, saved.head)) siblings.push_back(std::move(s));
  return std::any_of(siblings.begin(), siblings.end(),
                     [&](const std::string& at) { return restore_from(saved, *input, at, false); });
}

// Whether the place where it was cannot be looked at: then nothing is known about the file.
bool Tailer::is_elsewhere(const SavedFile& saved) {
  auto dir = ctx_.fs.stat(dir_name(saved.real));
  if (!dir) dir = ctx_.fs.stat(dir_name(saved.path));
  return !dir || dir->dev != saved.dev;  // the mount point without its volume
}

// Whether a refusal is what keeps us from it.
bool Tailer::is_barred(const SavedFile& saved) {
  const auto refused = [&](const std::string& at) {
    if (at.empty()) return false;
    const auto st = ctx_.fs.stat(at);
    if (!st) return st.error().code == EACCES;
    if (st->dev != saved.dev || st->inode != saved.inode) return false;
    if (st->birth_ns != 0 && saved.birth_ns != 0 && st->birth_ns != saved.birth_ns) return false;
    const auto opened = open_any(at);
    return !opened && (opened.error().code == EACCES || opened.error().code == EPERM);
  };
  const auto refused_in = [&](const std::string& dir) {
    const auto listed = ctx_.fs.list(dir);
    if (!listed) return listed.error().code == EACCES;
    return refused(find_inode(dir, saved.inode));
  };
  return refused(saved.real) || refused(saved.path) || refused_in(dir_name(saved.real)) ||
         refused_in(dir_name(saved.path)) || refused(found_at({saved.dev, saved.inode}));
}

void Tailer::not_found(const SavedFile& saved) {
  const auto bytes = !saved.finished && saved.size > saved.offset ? saved.size - saved.offset : 0;
  const auto input = discovery_->input_of(saved.path);
  const bool barred = input && is_barred(saved);
  const bool waits = !input || barred || is_elsewhere(saved);
  if (waits) {
    absent_.push_back(saved);
    absent_.back().missed = saved.missed || !barred;
    absent_.back().barred = barred;
  }
  if (barred && !saved.barred)
    ctx_.log.warn("tail.barred " + saved.path,
                  saved.path + " (was at " + saved.real + ") may not be read; reading goes on at " +
                      std::to_string(saved.offset) + " when it may, within seven days");
  if (bytes == 0 || saved.missed || barred) return;
  const std::string unread =
      std::to_string(bytes) + " unread bytes behind offset " + std::to_string(saved.offset);
  if (!input) {
    ctx_.log.warn("tail.unmatched", saved.path + " is not matched by the configuration any more; " + unread +
                                        " are left alone. Should an input match it again within seven days, "
                                        "reading goes on there");
    return;
  }
  auto there = ctx_.fs.stat(saved.real);
  const bool inode_exists = there && there->inode == saved.inode;
  ctx_.probe.lost_bytes(*input, bytes, inode_exists ? LossReason::truncated : LossReason::deleted);
  ctx_.log.error(
      "tail.lost " + saved.path,
      saved.path + " (was at " + saved.real + ") went away while the program was down: " + unread +
          (waits ? " count as lost, unless its directory comes back within seven days" : " are lost"));
}

bool Tailer::restore_from(const SavedFile& saved, std::uint32_t input, const std::string& at,
                          bool same_inode) {
  make_room_for_descriptor();
  auto opened = open_any(at, saved.head);
  return opened && restore_as(saved, input, at, same_inode, std::move(*opened));
}

bool Tailer::restore_as(const SavedFile& saved, std::uint32_t input, const std::string& at, bool same_inode,
                        std::unique_ptr<File> opened) {
  auto st = opened->stat();
  if (!st || !st->is_regular() || by_inode(*st) != nullptr) return false;
  if (!tells_apart(saved.head)) {
    const bool born = st->birth_ns != 0 && saved.birth_ns != 0;
    if (same_inode && born && st->birth_ns != saved.birth_ns) return false;
    // Nothing was ever in it, so that any bytes would do.
    if (saved.head.len == 0 && !born && at != saved.real) return false;
    // Copies have rotated names.
    if (!same_inode && !is_rotated_from(saved.path, saved.real, base_name(at))) return false;
  }
  const bool fully_read_copy = saved.finished && st->size < saved.offset && st->size > 0;
  auto same = fully_read_copy ? bears_marks(*opened, saved.head, 0, Mark{})
                              : bears_marks(*opened, saved.head, saved.offset, saved.tail);
  if (!same || !*same || (!fully_read_copy && st->size < saved.offset)) return false;
  auto file = std::make_unique<TailedFile>();
  file->key = saved.key;
  file->input = input;
  file->path = saved.path;
  const bool nameless = st->links == 0;
  auto real = nameless ? Expected<std::string>(at) : ctx_.fs.real_path(at);
  file->real = real ? *real : at;
  file->seen = *st;
  file->head = saved.head;
  if (file->head.len < kHeadBytes && !fully_read_copy)
    if (auto head = read_head(*opened)) file->head = *head;  // it has grown while we were down
  file->read_to = saved.offset;
  file->tail = saved.tail;
  auto live = ctx_.fs.stat(saved.path);
  file->place = live && live->inode == st->inode && live->dev == st->dev ? Place::live : Place::rotated;
  if (nameless) file->place = Place::deleted;
  file->whole = is_gzip_name(at) || fully_read_copy;
  if (fully_read_copy) file->seen.size = saved.offset;
  if (file->place == Place::live && live_at(saved.path) != nullptr) return false;
  if (!same_inode && is_gzip_name(at)) ctx_.probe.rotation(RotationKind::gzip);
  // What is finished stays closed; it is only known, so that it is not read again.
  if (!(saved.finished && file->at_end())) file->file = std::move(opened);
  file->settled = file->at_end();
  add(std::move(file), true);
  return true;
}

}  // namespace sidelight
