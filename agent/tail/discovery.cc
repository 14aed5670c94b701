#include "agent/tail/discovery.h"

#include <algorithm>
#include <utility>

#include "agent/tail/glob.h"
#include "agent/tail/rotated_names.h"

namespace sidelight {
namespace {

constexpr int kMaxDepth = 32;  // of directories; symlink loops end here

std::string join(const std::string& dir, std::string_view name) {
  std::string path = dir;
  if (path.empty() || path.back() != '/') path += '/';
  path += name;
  return path;
}

// Two "**" can share out the directories of one path in more than one way.
bool may_match_twice(std::string_view pattern) {
  const auto first = pattern.find("**");
  return first != std::string_view::npos && pattern.find("**", first + 2) != std::string_view::npos;
}

}  // namespace

Discovery::Discovery(FileSystem& fs, FileNotifier& notifier, Logger& log,
                     const std::vector<TailOptions>& inputs, OwnFiles own)
    : fs_(fs), notifier_(notifier), log_(log), own_(std::move(own)) {
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    for (const auto& glob : inputs[i].paths)
      for (auto& alternative : expand_braces(glob))
        patterns_.push_back(
            {i, static_cast<std::uint32_t>(patterns_.size()), alternative, may_match_twice(alternative)});
    auto& list = excludes_.emplace_back();
    for (const auto& glob : inputs[i].exclude)
      for (auto& alternative : expand_braces(glob)) list.push_back(std::move(alternative));
  }
  find_own();
}

// Looked for at each scan: own files are rotated, and their directories may be made only now.
void Discovery::find_own() {
  own_real_ = {};
  own_inodes_.clear();
  const auto note = [&](const std::string& path, std::set<std::string>& reals) {
    if (auto st = fs_.stat(path)) own_inodes_.insert({st->dev, st->inode});
    if (auto real = fs_.real_path(path)) {
      reals.insert(*real);
    } else if (auto dir = fs_.real_path(dir_name(path))) {
      reals.insert(join(*dir, base_name(path)));
    }
    reals.insert(path);
  };
  for (const auto& path : own_.files) note(path, own_real_.files);
  for (const auto& path : own_.directories) note(path, own_real_.directories);
}

Discovery::OwnNames Discovery::own_in(const std::string& real_dir) const {
  OwnNames own;
  for (const auto& dir : own_real_.directories)
    own.all = own.all || real_dir == dir || real_dir.starts_with(dir + "/");
  for (const auto& file : own_real_.files)
    if (dir_name(file) == real_dir) own.names.push_back(base_name(file));
  return own;
}

bool Discovery::covers(const OwnNames& own, std::string_view name) {
  return own.all || std::any_of(own.names.begin(), own.names.end(),
                                [&](const std::string& n) { return n == name || is_rotated_name(n, name); });
}

bool Discovery::is_own(const std::string& real) const {
  return covers(own_in(dir_name(real)), base_name(real));
}

std::vector<FoundFile> Discovery::scan() {
  std::vector<FoundFile> out;
  out.reserve(last_found_ + last_found_ / 8);
  listed_.clear();
  given_.clear();
  overlaps_.clear();
  barred_paths_.clear();
  marked_.clear();
  barred_.clear();
  own_in_dir_.clear();
  find_own();
  for (const auto& p : patterns_) {
    std::string_view rest = p.text;
    if (!rest.starts_with('/')) continue;  // the loader makes paths absolute
    rest.remove_prefix(1);
    walk("/", rest, p, 0, out);
  }
  // A directory that vanished and came back needs its watch again, so only those still visited stay known.
  std::erase_if(watched_, [&](const std::string& d) {
    if (fs_.stat(d)) return false;
    notifier_.unwatch(d);
    return true;
  });
  std::erase_if(unwatched_, [&](const std::string& d) { return !listed_.contains(d); });
  std::erase_if(unheard_, [&](const std::string& d) { return !fs_.stat(d); });
  given_.clear();
  last_found_ = out.size();
  return out;
}

std::vector<std::string> Discovery::globs() const {
  std::vector<std::string> out;
  out.reserve(patterns_.size());
  for (const auto& p : patterns_) out.push_back(p.text);
  return out;
}

std::optional<std::uint32_t> Discovery::input_of(const std::string& path) const {
  for (const auto& p : patterns_)
    if (match_path(p.text, path) && !excluded(path, p.input)) {
      const std::string dir = dir_name(path);
      if (covers(own_in(fs_.real_path(dir).value_or(dir)), base_name(path))) return std::nullopt;
      return p.input;
    }
  return std::nullopt;
}

const std::vector<std::string>* Discovery::marked_in(const std::string& dir) const {
  const auto it = marked_.find(dir);
  return it == marked_.end() ? nullptr : &it->second;
}

void Discovery::watch(const std::string& dir) {
  listed_.insert(dir);
  if (watched_.contains(dir)) return;
  auto r = notifier_.watch(dir);
  if (r) {
    watched_.insert(dir);
    unwatched_.erase(dir);
    unheard_.erase(dir);
    return;
  }
  if (r.error().code == EACCES) {
    unwatched_.erase(dir);
    unheard_.insert(dir);
    return;
  }
  if (unwatched_.insert(dir).second && r.error().code != ENOSYS)
    log_.warn("tail.watch",
              r.error().message + "; this directory is polled. On ENOSPC raise fs.inotify.max_user_watches.");
}

void Discovery::walk(const std::string& dir, std::string_view rest, const Pattern& pattern, int depth,
                     std::vector<FoundFile>& out) {
  if (depth > kMaxDepth) return;
  const auto slash = rest.find('/');
  const auto segment = rest.substr(0, slash);
  const bool last = slash == std::string_view::npos;
  const auto behind = last ? std::string_view{} : rest.substr(slash + 1);
  if (segment.empty() && !last) return walk(dir, behind, pattern, depth + 1, out);
  if (segment == "**") return walk_any_depth(dir, last ? "*" : behind, pattern, depth, out);

  if (!has_wildcard(segment)) {
    if (last) {
      watch(dir);
      const std::string path = join(dir, segment);
      if (!excluded(path, pattern.input)) consider(dir, segment, fs_.stat(path), pattern, out);
      return;
    }
    const std::string path = join(dir, segment);
    auto st = fs_.stat(path);
    if (st && st->is_directory()) {
      if (!is_own_inode(*st)) walk(path, behind, pattern, depth + 1, out);
      return;
    }
    if (!st) bar(path, dir, pattern, st.error());
    watch(dir);  // it may appear here
    return;
  }

  // Watch first, list then: what appears between the two is told by the watch.
  watch(dir);
  const auto listed =
      last ? walk_files(dir, segment, pattern, out) : walk_dirs(dir, segment, behind, pattern, depth, out);
  if (listed) return;
  bar(dir, dir, pattern, listed.error());
  if (listed.error().code != ENOENT && listed.error().code != EACCES)
    log_.warn("tail.list", listed.error().message);
}

Expected<void> Discovery::walk_files(const std::string& dir, std::string_view segment, const Pattern& pattern,
                                     std::vector<FoundFile>& out) {
  std::vector<std::string> marked;
  const bool may_exclude = !excludes_[pattern.input].empty();
  auto visited = fs_.visit(
      dir,
      [&](const DirEntry& e) {
        if (has_rotation_mark(e.name)) marked.push_back(e.name);
        return match_segment(segment, e.name) && !(may_exclude && excluded(join(dir, e.name), pattern.input));
      },
      [&](const DirEntry& e, const Expected<FileStat>& st) { consider(dir, e.name, st, pattern, out); });
  if (visited) marked_[dir] = std::move(marked);
  return visited;
}

Expected<void> Discovery::walk_dirs(const std::string& dir, std::string_view segment, std::string_view behind,
                                    const Pattern& pattern, int depth, std::vector<FoundFile>& out) {
  auto entries = fs_.list(dir);
  if (!entries) return std::unexpected(entries.error());
  for (const auto& e : *entries) {
    if (!e.may_be_directory || !match_segment(segment, e.name)) continue;
    const std::string path = join(dir, e.name);
    auto st = fs_.stat(path);
    if (st && st->is_directory() && !is_own_inode(*st)) walk(path, behind, pattern, depth + 1, out);
  }
  return {};
}

void Discovery::walk_any_depth(const std::string& dir, std::string_view rest, const Pattern& pattern,
                               int depth, std::vector<FoundFile>& out) {
  if (depth > kMaxDepth) return;
  walk(dir, rest, pattern, depth, out);
  watch(dir);
  auto entries = fs_.list(dir);
  if (!entries) return;
  for (const auto& e : *entries) {
    if (!e.may_be_directory || e.name.starts_with('.')) continue;
    const std::string path = join(dir, e.name);
    auto st = fs_.lstat(path);  // symlinked directories are not descended into: they could loop
    if (st && st->is_directory() && !is_own_inode(*st)) walk_any_depth(path, rest, pattern, depth + 1, out);
  }
}

void Discovery::consider(const std::string& dir, std::string_view name, const Expected<FileStat>& st,
                         const Pattern& pattern, std::vector<FoundFile>& out) {
  std::string path = join(dir, name);
  const bool may_repeat = patterns_.size() > 1 || pattern.may_repeat;
  if (may_repeat) {
    if (const auto given = given_.find(path); given != given_.end())
      return note_overlap(given->second, pattern.input, path);
  }
  if (!st) return bar(path, dir, pattern, st.error());
  if (!st->is_regular() || is_own_inode(*st)) return;
  const auto [own, fresh] = own_in_dir_.try_emplace(dir);
  if (fresh) own->second = own_in(fs_.real_path(dir).value_or(dir));
  if (covers(own->second, name)) return;
  if (may_repeat) given_.emplace(path, pattern.input);
  out.push_back({std::move(path), pattern.input, *st, pattern.place});
}

void Discovery::note_overlap(std::uint32_t reads, std::uint32_t other, const std::string& path) {
  if (reads == other) return;
  const bool known = std::any_of(overlaps_.begin(), overlaps_.end(),
                                 [&](const Overlap& o) { return o.reads == reads && o.other == other; });
  if (!known) overlaps_.push_back({reads, other, path});
}

// Once a place, and only for what a change of rights would mend.
void Discovery::bar(const std::string& path, const std::string& dir, const Pattern& pattern,
                    const Error& error) {
  if (error.code != EACCES || !barred_paths_.insert(path).second) return;
  // A link that can be seen leads into some other directory.
  const bool link = dir != path && fs_.lstat(path).has_value();
  barred_.push_back({path, pattern.input, error, fs_.stat(link ? path : dir).value_or(FileStat{})});
}

bool Discovery::excluded(const std::string& path, std::uint32_t input) const {
  if (excludes_[input].empty()) return false;
  const std::string name = base_name(path);
  for (const auto& glob : excludes_[input]) {
    if (glob.find('/') == std::string::npos ? match_segment(glob, name) : match_path(glob, path)) return true;
  }
  return false;
}

}  // namespace sidelight
