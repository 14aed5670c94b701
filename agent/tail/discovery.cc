#include "agent/tail/discovery.h"

#include <utility>

#include "agent/tail/glob.h"

namespace sidelight {
namespace {

constexpr int kMaxDepth = 32;  // of directories; symlink loops end here

std::string join(const std::string& dir, std::string_view name) {
  std::string path = dir;
  if (path.empty() || path.back() != '/') path += '/';
  path += name;
  return path;
}

}  // namespace

Discovery::Discovery(FileSystem& fs, FileNotifier& notifier, Logger& log,
                     const std::vector<TailOptions>& inputs, std::set<std::string> never)
    : fs_(fs), notifier_(notifier), log_(log), never_(std::move(never)) {
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    for (const auto& glob : inputs[i].paths)
      for (auto& alternative : expand_braces(glob)) patterns_.push_back({i, std::move(alternative)});
    auto& list = excludes_.emplace_back();
    for (const auto& glob : inputs[i].exclude)
      for (auto& alternative : expand_braces(glob)) list.push_back(std::move(alternative));
  }
}

std::vector<FoundFile> Discovery::scan() {
  std::vector<FoundFile> out;
  listed_.clear();
  given_.clear();
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
  return out;
}

std::optional<std::uint32_t> Discovery::input_of(const std::string& path) const {
  for (const auto& p : patterns_)
    if (match_path(p.text, path) && !excluded(path, p.input)) return p.input;
  return std::nullopt;
}

void Discovery::watch(const std::string& dir) {
  listed_.insert(dir);
  if (watched_.contains(dir)) return;
  auto r = notifier_.watch(dir);
  if (r) {
    watched_.insert(dir);
    unwatched_.erase(dir);
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
    const std::string path = join(dir, segment);
    if (last) {
      watch(dir);
      return consider(path, pattern, out);
    }
    auto st = fs_.stat(path);
    if (st && st->is_directory()) return walk(path, behind, pattern, depth + 1, out);
    watch(dir);  // it may appear here
    return;
  }

  // Watch first, list then: what appears between the two is told by the watch.
  watch(dir);
  auto entries = fs_.list(dir);
  if (!entries) {
    if (entries.error().code != ENOENT) log_.warn("tail.list", entries.error().message);
    return;
  }
  for (const auto& e : *entries) {
    if (!match_segment(segment, e.name)) continue;
    const std::string path = join(dir, e.name);
    if (last) {
      consider(path, pattern, out);
    } else if (e.may_be_directory) {
      auto st = fs_.stat(path);
      if (st && st->is_directory()) walk(path, behind, pattern, depth + 1, out);
    }
  }
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
    if (st && st->is_directory()) walk_any_depth(path, rest, pattern, depth + 1, out);
  }
}

void Discovery::consider(const std::string& path, const Pattern& pattern, std::vector<FoundFile>& out) {
  if (never_.contains(path) || excluded(path, pattern.input)) return;
  if (given_.contains(path)) return;
  auto st = fs_.stat(path);
  if (!st || !st->is_regular()) return;
  given_.insert(path);
  out.push_back({path, pattern.input, *st});
}

bool Discovery::excluded(const std::string& path, std::uint32_t input) const {
  const std::string name = base_name(path);
  for (const auto& glob : excludes_[input]) {
    if (glob.find('/') == std::string::npos ? match_segment(glob, name) : match_path(glob, path)) return true;
  }
  return false;
}

}  // namespace sidelight
