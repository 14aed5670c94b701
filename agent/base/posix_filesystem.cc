#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <system_error>

#include "agent/base/filesystem.h"

namespace sidelight {
namespace {

std::unexpected<Error> os_error(const std::string& what, int code) {
  return fail(what + ": " + std::system_category().message(code), code);
}

FileStat from_statx(const struct statx& s) {
  FileStat f;
  f.dev = makedev(s.stx_dev_major, s.stx_dev_minor);
  f.inode = s.stx_ino;
  f.size = s.stx_size;
  f.mtime_ns = s.stx_mtime.tv_sec * 1'000'000'000LL + s.stx_mtime.tv_nsec;
  f.ctime_ns = s.stx_ctime.tv_sec * 1'000'000'000LL + s.stx_ctime.tv_nsec;
  if ((s.stx_mask & STATX_BTIME) != 0)
    f.birth_ns = s.stx_btime.tv_sec * 1'000'000'000LL + s.stx_btime.tv_nsec;
  f.links = s.stx_nlink;
  f.mode = s.stx_mode;
  f.uid = s.stx_uid;
  f.gid = s.stx_gid;
  return f;
}

constexpr unsigned kStatMask = STATX_BASIC_STATS | STATX_BTIME;

Expected<FileStat> stat_path(const std::string& path, int flags) {
  struct statx s{};
  if (::statx(AT_FDCWD, path.c_str(), flags, kStatMask, &s) != 0) return os_error("stat " + path, errno);
  return from_statx(s);
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { ::close(fd_); }

  Expected<FileStat> stat() const override {
    struct statx s{};
    if (::statx(fd_, "", AT_EMPTY_PATH, kStatMask, &s) != 0) return os_error("stat " + path_, errno);
    return from_statx(s);
  }

  Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t offset) const override {
    std::size_t done = 0;
    while (done < n) {
      ssize_t k = ::pread(fd_, to + done, n - done, static_cast<off_t>(offset + done));
      if (k < 0 && errno == ESPIPE) k = read_pipe(to + done, n - done);
      if (k < 0 && errno == EINTR) continue;
      if (k < 0) return os_error("read " + path_, errno);
      if (k == 0) break;
      done += static_cast<std::size_t>(k);
    }
    return done;
  }

  Expected<void> write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t k = ::write(fd_, bytes.data(), bytes.size());
      if (k < 0 && errno == EINTR) continue;
      if (k < 0) return os_error("write " + path_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(k));
    }
    return {};
  }

  Expected<void> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return os_error("truncate " + path_, errno);
    return {};
  }

  Expected<void> sync() override {
    if (::fdatasync(fd_) != 0) return os_error("sync " + path_, errno);
    return {};
  }

  Expected<void> give_to(std::uint32_t uid, std::uint32_t gid) override {
    if (::fchown(fd_, uid, gid) != 0) return os_error("change the owner of " + path_, errno);
    return {};
  }

 private:
  // A configuration or a secret may come from a pipe, which is read from its beginning to its end.
  ssize_t read_pipe(char* to, std::size_t n) const {
    constexpr int kPatienceMs = 10'000;
    const ssize_t k = ::read(fd_, to, n);
    if (k >= 0 || errno != EAGAIN) return k;
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) > 0) return ::read(fd_, to, n);
    errno = ETIMEDOUT;
    return -1;
  }

  int fd_;
  std::string path_;
};

}  // namespace

Expected<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode) {
  int flags = O_CLOEXEC | O_NOCTTY;
  mode_t perm = 0640;
  switch (mode) {
    case OpenMode::read:
      // Non-blocking, so that a FIFO that matches a glob cannot hang us.
      flags |= O_RDONLY | O_NONBLOCK;
      break;
    case OpenMode::append:
      flags |= O_WRONLY | O_CREAT | O_APPEND;
      break;
    case OpenMode::create_new:
      flags |= O_WRONLY | O_CREAT | O_TRUNC |
               O_APPEND;  // appending: a truncation must leave no hole before the next write
      perm = 0600;
      break;
  }
  int fd = -1;
  // O_NOATIME saves a metadata write a read; only the owner may ask for it.
  if (mode == OpenMode::read) fd = ::open(path.c_str(), flags | O_NOATIME);
  if (fd < 0) fd = ::open(path.c_str(), flags, perm);
  if (fd < 0) return os_error("open " + path, errno);
  return std::make_unique<PosixFile>(fd, path);
}

Expected<FileStat> PosixFileSystem::stat(const std::string& path) {
  return stat_path(path, 0);
}
Expected<FileStat> PosixFileSystem::lstat(const std::string& path) {
  return stat_path(path, AT_SYMLINK_NOFOLLOW);
}

Expected<std::string> PosixFileSystem::real_path(const std::string& path) {
  char* p = ::realpath(path.c_str(), nullptr);
  if (p == nullptr) return os_error("resolve " + path, errno);
  std::string out(p);
  std::free(p);
  return out;
}

namespace {

// Calls `each` with every entry but "." and "..", and with the directory's descriptor. The entry is the same
// object each time.
template <class Each>
Expected<void> for_each_entry(const std::string& dir, Each each) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(dir.c_str()), &::closedir);
  DIR* const d = open.get();
  if (d == nullptr) return os_error("list " + dir, errno);
  DirEntry entry;
  int error = 0;
  for (;;) {
    errno = 0;
    const dirent* e = ::readdir(d);  // NOLINT(concurrency-mt-unsafe): the stream is ours alone
    if (e == nullptr) {
      error = errno;
      break;
    }
    const std::string_view name = e->d_name;
    if (name == "." || name == "..") continue;
    entry.name = name;
    entry.inode = e->d_ino;
    entry.may_be_directory = e->d_type == DT_DIR || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN;
    each(entry, ::dirfd(d));
  }
  if (error != 0) return os_error("list " + dir, error);
  return {};
}

}  // namespace

Expected<std::vector<DirEntry>> PosixFileSystem::list(const std::string& dir) {
  std::vector<DirEntry> out;
  if (auto r = for_each_entry(dir, [&](const DirEntry& e, int) { out.push_back(e); }); !r)
    return std::unexpected(r.error());
  return out;
}

// By the directory's descriptor: the path to it is walked once.
Expected<void> PosixFileSystem::visit(const std::string& dir, const Wants& wants, const Found& found) {
  return for_each_entry(dir, [&](const DirEntry& e, int fd) {
    if (!wants(e)) return;
    struct statx s{};
    if (::statx(fd, e.name.c_str(), 0, kStatMask, &s) == 0) return found(e, from_statx(s));
    found(e, os_error("stat " + dir + "/" + e.name, errno));
  });
}

Expected<void> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return os_error("rename " + from + " to " + to, errno);
  return {};
}

Expected<void> PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return os_error("remove " + path, errno);
  return {};
}

Expected<void> PosixFileSystem::make_dirs(const std::string& dir) {
  int code = ::mkdir(dir.c_str(), 0750) == 0 ? 0 : errno;
  if (code == EEXIST) {
    auto st = stat(dir);
    if (st && st->is_directory()) return {};
    return fail(dir + " exists and is not a directory", ENOTDIR);
  }
  if (code == ENOENT && dir_name(dir) != dir) {
    if (auto r = make_dirs(dir_name(dir)); !r) return r;
    code = ::mkdir(dir.c_str(), 0750) == 0 || errno == EEXIST ? 0 : errno;
  }
  if (code != 0) return os_error("make directory " + dir, code);
  // So that it outlives a power cut with what is synced in it; a parent that we may not read cannot be
  // synced.
  (void)sync_dir(dir_name(dir));
  return {};
}

Expected<void> PosixFileSystem::sync_dir(const std::string& dir) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return os_error("open " + dir, errno);
  const int r = ::fsync(fd);
  const int code = errno;
  ::close(fd);
  if (r != 0) return os_error("sync " + dir, code);
  return {};
}

Expected<std::unique_ptr<File>> PosixFileSystem::lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return os_error("open " + path, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    ::close(fd);
    return os_error("lock " + path, code);
  }
  return std::make_unique<PosixFile>(fd, path);
}

}  // namespace sidelight
