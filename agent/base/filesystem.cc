#include "agent/base/filesystem.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sidelight {

bool FileStat::is_regular() const {
  return S_ISREG(mode);
}
bool FileStat::is_directory() const {
  return S_ISDIR(mode);
}

Expected<std::string> FileSystem::read_file(const std::string& path, std::size_t max_bytes) {
  auto file = open(path, OpenMode::read);
  if (!file) return std::unexpected(file.error());
  auto st = (*file)->stat();
  if (!st) return std::unexpected(st.error());
  if (st->size > max_bytes)
    return fail(path + " is larger than " + std::to_string(max_bytes) + " bytes", EFBIG);
  std::string out;
  constexpr std::size_t kStep = 64 * 1024;
  // Read to the end rather than trust the size: files under /proc and /sys say 0.
  for (;;) {
    const std::size_t had = out.size();
    if (had > max_bytes) return fail(path + " is larger than " + std::to_string(max_bytes) + " bytes", EFBIG);
    out.resize(had + kStep);
    auto n = (*file)->read_at(out.data() + had, kStep, had);
    if (!n) return std::unexpected(n.error());
    out.resize(had + *n);
    if (*n < kStep) return out;
  }
}

Expected<void> File::give_to(std::uint32_t /*uid*/, std::uint32_t /*gid*/) {
  return {};
}

Expected<void> FileSystem::give_to_owner_of(const std::string& dir, File& file) {
  const auto to = stat(dir);
  if (!to) return std::unexpected(to.error());
  const auto now = file.stat();
  if (!now) return std::unexpected(now.error());
  if (now->uid == to->uid) return {};  // the group may be another one: a member made it
  return file.give_to(to->uid, to->gid);
}

Expected<void> FileSystem::write_atomically(const std::string& path, std::string_view bytes) {
  const std::string tmp = path + ".tmp";
  {
    auto file = open(tmp, OpenMode::create_new);
    if (!file) return std::unexpected(file.error());
    if (auto r = (*file)->write(bytes); !r) return r;
    if (auto r = give_to_owner_of(dir_name(path), **file); !r && r.error().code != EPERM) return r;
    if (auto r = (*file)->sync(); !r) return r;
  }
  if (auto r = rename(tmp, path); !r) return r;
  return sync_dir(dir_name(path));
}

std::string dir_name(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  if (slash == 0) return "/";
  return path.substr(0, slash);
}

std::string base_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Expected<void> FileSystem::visit(const std::string& dir, const Wants& wants, const Found& found) {
  auto entries = list(dir);
  if (!entries) return std::unexpected(entries.error());
  const std::string prefix = dir.ends_with('/') ? dir : dir + "/";
  for (const DirEntry& e : *entries)
    if (wants(e)) found(e, stat(prefix + e.name));
  return {};
}

std::string rights_text(const FileStat& stat) {
  const std::string we = "we are " + std::to_string(::geteuid()) + ":" + std::to_string(::getegid()) + ")";
  if (stat.inode == 0) return " (" + we;
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", stat.mode & 07777u);
  return " (owner " + std::to_string(stat.uid) + ":" + std::to_string(stat.gid) + ", mode " + mode + "; " +
         we;
}

Error with_rights(FileSystem& fs, const std::string& path, Error error) {
  if (error.code != EACCES && error.code != EPERM && error.code != EROFS) return error;
  std::string at = path;
  auto st = fs.stat(at);
  while (!st && dir_name(at) != at) {
    at = dir_name(at);
    st = fs.stat(at);
  }
  if (st) error.message += "; " + at + rights_text(*st);
  return error;
}

Expected<void> try_writing_in(FileSystem& fs, const std::string& dir, const std::string& name) {
  std::string at = dir;
  auto st = fs.stat(at);
  while (!st && st.error().code == ENOENT && dir_name(at) != at) {
    at = dir_name(at);
    st = fs.stat(at);
  }
  if (!st) return std::unexpected(with_rights(fs, at, st.error()));
  if (!st->is_directory()) return fail(at + " is not a directory", ENOTDIR);
  const std::string path = at + (at.back() == '/' ? "" : "/") + name;
  auto file = fs.open(path, OpenMode::create_new);
  if (!file) return std::unexpected(with_rights(fs, at, file.error()));
  auto written = (*file)->write("x");
  auto removed = fs.remove(path);
  return written ? removed : written;
}

}  // namespace sidelight
