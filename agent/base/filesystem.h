// The only door to files. Nothing outside PosixFileSystem calls ::open and its kin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

struct FileStat {
  std::uint64_t dev = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;  // of the last change to the inode: nobody can set it back
  std::int64_t birth_ns = 0;  // 0 where the filesystem has none
  std::uint32_t links = 0;
  std::uint32_t mode = 0;  // st_mode
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const FileStat&) const = default;
  bool is_regular() const;
  bool is_directory() const;
};

// An open file. One thread at a time. Closes itself.
class File {
 public:
  virtual ~File() = default;
  virtual Expected<FileStat> stat() const = 0;
  // Reads up to n bytes at offset; fewer only at the end of the file. EINTR is handled.
  virtual Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t offset) const = 0;
  // Appends or writes at the descriptor's position, all of it or an error (then an unknown prefix was
  // written).
  virtual Expected<void> write(std::string_view bytes) = 0;
  virtual Expected<void> truncate(std::uint64_t size) = 0;
  // fdatasync.
  virtual Expected<void> sync() = 0;
  // fchown. Files without an owner stay as they are.
  virtual Expected<void> give_to(std::uint32_t uid, std::uint32_t gid);
};

enum class OpenMode {
  read,        // O_RDONLY | O_NONBLOCK | O_NOATIME where allowed
  append,      // create, append, 0640
  create_new,  // create or truncate for writing, 0600
};

struct DirEntry {
  std::string name;
  std::uint64_t inode = 0;
  bool may_be_directory = false;
};

// Thread-safe. Error::code is the errno.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Expected<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Expected<FileStat> stat(const std::string& path) = 0;   // follows symlinks
  virtual Expected<FileStat> lstat(const std::string& path) = 0;  // does not
  virtual Expected<std::string> real_path(const std::string& path) = 0;
  virtual Expected<std::vector<DirEntry>> list(const std::string& dir) = 0;
  // Offers all entries of a directory to `wants`, and gives the stat (symlinks followed) of those that it
  // takes to `found`; cheaper than list() and a stat() for each.
  using Wants = std::function<bool(const DirEntry&)>;
  using Found = std::function<void(const DirEntry&, const Expected<FileStat>&)>;
  virtual Expected<void> visit(const std::string& dir, const Wants& wants, const Found& found);
  virtual Expected<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Expected<void> remove(const std::string& path) = 0;
  // Makes dir and its parents (0750); fine when it is there.
  virtual Expected<void> make_dirs(const std::string& dir) = 0;
  // fsync of a directory, so that a rename in it survives a power cut.
  virtual Expected<void> sync_dir(const std::string& dir) = 0;
  // Takes an exclusive advisory lock on path (created); the lock lives as long as the returned object.
  virtual Expected<std::unique_ptr<File>> lock(const std::string& path) = 0;

  // Conveniences on top of the above.
  Expected<std::string> read_file(const std::string& path, std::size_t max_bytes);
  // Gives a file in `dir` to whom the directory belongs: what root makes in a service's directory is of no
  // use to the service else. EPERM: only root may.
  Expected<void> give_to_owner_of(const std::string& dir, File& file);
  // Write to a temporary name, give it to the directory's owner if we may, sync, rename over path, sync the
  // directory.
  Expected<void> write_atomically(const std::string& path, std::string_view bytes);
};

class PosixFileSystem final : public FileSystem {
 public:
  Expected<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Expected<FileStat> stat(const std::string& path) override;
  Expected<FileStat> lstat(const std::string& path) override;
  Expected<std::string> real_path(const std::string& path) override;
  Expected<std::vector<DirEntry>> list(const std::string& dir) override;
  Expected<void> visit(const std::string& dir, const Wants& wants, const Found& found) override;
  Expected<void> rename(const std::string& from, const std::string& to) override;
  Expected<void> remove(const std::string& path) override;
  Expected<void> make_dirs(const std::string& dir) override;
  Expected<void> sync_dir(const std::string& dir) override;
  Expected<std::unique_ptr<File>> lock(const std::string& path) override;
};

// "/a/b/c" -> "/a/b"; "c" -> ".".
std::string dir_name(const std::string& path);
std::string base_name(const std::string& path);

// " (owner 0:0, mode 0640; we are 65532:65532)": what explains a refused access.
std::string rights_text(const FileStat& stat);
// Adds that of `path`, or of its nearest parent that can be seen, if rights are what the error is about.
Error with_rights(FileSystem& fs, const std::string& path, Error error);
// Whether a file can be made in `dir`, or in its nearest parent that exists: one called `name` is made,
// written and removed.
Expected<void> try_writing_in(FileSystem& fs, const std::string& dir, const std::string& name);

}  // namespace sidelight
