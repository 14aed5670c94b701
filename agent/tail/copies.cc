// Which files that appear are copies, plain or compressed, of generations that are known.
#include <algorithm>
#include <unordered_set>

#include "agent/tail/rotated_names.h"
#include "agent/tail/tailer.h"

namespace sidelight {
namespace {

// Equal content is compared at both ends of the common part; the middle of two files that agree there is the
// same.
constexpr std::uint64_t kCompareBytes = 64 * 1024;
// Many truncations at once look through the directories once.
constexpr std::chrono::seconds kHeadsAreKnownFor{1};
// Some file systems tell times to two seconds only, and gzip to one.
constexpr std::int64_t kCoarseTimes = 2'500'000'000;

bool same_ends(const File& a, const File& b, std::uint64_t common) {
  const auto head = same_prefix(a, b, std::min(common, kCompareBytes));
  if (!head || !*head) return false;
  if (common <= kCompareBytes) return true;
  const auto n = std::min(common - kCompareBytes, kCompareBytes);
  std::string x(static_cast<std::size_t>(n), '\0');
  std::string y = x;
  const auto i = a.read_at(x.data(), x.size(), common - n);
  const auto j = b.read_at(y.data(), y.size(), common - n);
  return i && j && *i == x.size() && *j == y.size() && x == y;
}

}  // namespace

// In its directory.
std::vector<TailedFile*> Tailer::relatives_beside(const std::string& path) {
  const std::string name = base_name(path);
  const std::string dir = dir_name(path);
  std::vector<TailedFile*> out;
  for (TailedFile* f : families_.relatives(dir, name)) {
    if (dir_name(f->path) != dir && dir_name(f->real) != dir) continue;
    for (const std::string& original : {base_name(f->path), base_name(f->real)}) {
      if (f->place == Place::live ? is_rotated_name(original, name)
                                  : family_name(original) == family_name(name)) {
        out.push_back(f);
        break;
      }
    }
  }
  return out;
}

// The head that is known is that of the last read. It may have grown since, or be that of bytes that were
// truncated away unseen.
void Tailer::note_head(TailedFile& file) {
  by_head_->emplace(file.head.hash, std::pair(file.head, &file));
  if (file.unread() == 0 || !file.file) return;
  const auto now = read_head(*file.file);
  if (now && *now != file.head) by_head_->emplace(now->hash, std::pair(*now, &file));
}

// In other directories, where rotation may have moved, copied or compressed it from. Logs of one name are
// many, so only those that begin alike, and where that is little, that are as long and as old and gone.
std::vector<TailedFile*> Tailer::relatives_elsewhere(const std::string& path, const File& candidate,
                                                     const FileStat& st) {
  const std::string name = base_name(path);
  std::vector<TailedFile*> out;
  if (!has_rotation_mark(name) || st.size == 0) return out;
  const auto head = read_head(candidate);
  if (!head) return out;
  if (!by_head_) {
    by_head_.emplace();
    for (const auto& [pointer, file] : files_) note_head(*file);
  }
  const std::string dir = dir_name(path);
  const auto [begin, end] = by_head_->equal_range(head->hash);
  for (auto it = begin; it != end; ++it) {
    const auto& [its_head, f] = it->second;
    if (its_head != *head || dir_name(f->path) == dir || dir_name(f->real) == dir) continue;
    if (!is_rotated_from(f->path, f->real, name)) continue;
    const bool same_age = std::abs(f->seen.mtime_ns - st.mtime_ns) < kCoarseTimes;
    const bool same_file = f->place != Place::live && f->seen.size == st.size && same_age;
    if (tells_apart(*head) || same_file) out.push_back(f);
  }
  return out;
}

// Unknown files with rotated names that the globs lead to in other directories than this generation was in,
// and that begin with this head.
std::vector<std::string> Tailer::found_elsewhere(const std::string& path, const std::string& real,
                                                 const Mark& head) {
  std::vector<std::string> out;
  if (!tells_apart(head)) return out;
  if (found_heads_ && ctx_.clock.now() >= heads_until_) {
    found_heads_.reset();
    found_at_.reset();
  }
  if (!found_heads_) {
    found_heads_.emplace();
    heads_until_ = ctx_.clock.now() + kHeadsAreKnownFor;
    if (!found_at_) found_at_ = index_of(discovery_->scan());
    std::unordered_set<std::string_view> names;
    for (const auto& [inode, at] : *found_at_) names.insert(at);
    for (const auto& [inode, at] : *found_at_) {
      if (!has_rotation_mark(base_name(at)) || inodes_.contains(inode)) continue;
      if (is_gzip_name(at) && names.contains(std::string_view(at).substr(0, at.size() - 3)))
        continue;  // gzip is at work
      make_room_for_descriptor();
      const auto opened = open_any(at);
      if (!opened) continue;
      if (const auto its = read_head(**opened); its && tells_apart(*its))
        found_heads_->emplace(its->hash, at);
    }
  }
  const auto [begin, end] = found_heads_->equal_range(head.hash);
  for (auto it = begin; it != end; ++it) {
    const std::string dir = dir_name(it->second);
    if (dir != dir_name(path) && dir != dir_name(real) && is_rotated_from(path, real, base_name(it->second)))
      out.push_back(it->second);
  }
  return out;
}

// Does this unknown file hold bytes that we read, or are reading, elsewhere? A copy of a live file is left
// alone; a copy of a generation whose own file is gone takes its place.
bool Tailer::is_copy(const FoundFile& found, const File& candidate, const FileStat& st) {
  const std::string name = base_name(found.path);
  std::vector<TailedFile*> relatives = relatives_beside(found.path);
  const std::size_t beside = relatives.size();
  for (TailedFile* f : relatives_elsewhere(found.path, candidate, st)) relatives.push_back(f);
  for (std::size_t i = 0; i < relatives.size(); ++i) {
    TailedFile* const f = relatives[i];
    if (f->place == Place::live) {
      if (!is_copy_of_live(*f, candidate, st)) continue;
      copies_.insert(found.path);
      return true;
    }
    if (f->head.len == 0 || f->seen.inode == st.inode) continue;
    const auto same = bears_marks(candidate, f->head, f->read_to, f->tail);
    if (!same || !*same) continue;
    auto there = ctx_.fs.lstat(f->real);
    const bool still_there = f->place == Place::rotated && there && is_still(*f, *there, f->real);
    if (still_there && f->file) {
      // A truncation can hide behind new bytes; when it comes to light, the copy is adopted.
      const auto unchanged = bears_marks(*f->file, f->head, f->read_to, f->tail);
      if (unchanged && !*unchanged) {
        truncated_and_refilled(*f);
        if (by_inode(st) != nullptr) return true;
        continue;
      }
    }
    // What stands where the original stood before it was rotated, or is longer, is no copy of it: many
    // programs begin each file with the same lines.
    if (still_there && (found.path == f->path || st.size > (f->whole ? f->seen.size : there->size))) continue;
    // Copies have rotated names, and what they were made of is gone. Anything else must be the same beyond
    // doubt.
    const bool looks_like_one = is_rotated_from(f->path, f->real, name) && !still_there;
    if (!looks_like_one && !tells_apart(f->head)) continue;
    if (i >= beside && still_there && !tells_apart(f->head)) continue;
    if (still_there) {
      copies_.insert(found.path);
      return true;
    }
    close(*f);
    unbind(*f);
    bind(*f, st);
    move_to(*f, found.path);
    f->place = Place::rotated;
    f->whole = is_gzip_name(name);
    if (f->whole) ctx_.probe.rotation(RotationKind::gzip);
    if (f->has_news()) {
      unnamed_.insert(f);
      mark_ready(*f);
    }
    return true;
  }
  return false;
}

bool Tailer::is_copy_of_live(TailedFile& live, const File& candidate, const FileStat& st) {
  const std::string path = live.path;
  look(live);
  if (live.place == Place::live && open(live)) {
    // A truncation can hide behind new bytes; when it comes to light, the copy is adopted.
    const auto unchanged = bears_marks(*live.file, live.head, live.read_to, live.tail);
    if (unchanged && !*unchanged) truncated_and_refilled(live);
  }
  if (by_inode(st) != nullptr) return true;
  if (live.place != Place::live) {
    TailedFile* fresh = live_at(path);
    return fresh != nullptr && fresh != &live && is_copy_of_live(*fresh, candidate, st);
  }
  if (!live.file) return false;
  // A copy is younger than what it was made of, and no longer.
  if (st.size > live.seen.size) return false;
  if (st.birth_ns != 0 && live.seen.birth_ns != 0 && st.birth_ns < live.seen.birth_ns) return false;
  if (st.size == 0)
    return true;  // a copy that is about to be written, or nothing at all: looked at again when it grows
  const auto common = std::min(st.size, live.seen.size);
  if (common == 0) return false;
  if (same_ends(*live.file, candidate, common)) return true;
  // Copytruncate truncates right behind the copy, perhaps in the middle of our comparison: it only counts
  // when the live file still is what it was before it.
  const auto still = bears_marks(*live.file, live.head, live.read_to, live.tail);
  const auto now = live.file->stat();
  if (!still || !now || (*still && now->size >= common)) return false;
  return is_copy_of_live(live, candidate, st);
}

}  // namespace sidelight
