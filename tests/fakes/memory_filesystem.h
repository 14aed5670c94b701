// A file system in memory that behaves as the POSIX one does where the program can see it: inodes, names
// apart from files (an open file outlives its name), symlinks, permissions as mode bits only, and faults at
// will.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/filesystem.h"

namespace sidelight {

// Thread-safe. The working directory is "/". Files may outlive it (they share its state).
class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Expected<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Expected<FileStat> stat(const std::string& path) override;
  Expected<FileStat> lstat(const std::string& path) override;
  Expected<std::string> real_path(const std::string& path) override;
  Expected<std::vector<DirEntry>> list(const std::string& dir) override;
  Expected<void> rename(const std::string& from, const std::string& to) override;
  Expected<void> remove(const std::string& path) override;
  Expected<void> make_dirs(const std::string& dir) override;
  Expected<void> sync_dir(const std::string& dir) override;
  Expected<std::unique_ptr<File>> lock(const std::string& path) override;

  // Conveniences of tests; parents are made.
  void write_file(const std::string& path, std::string_view bytes);  // replaces the content, keeps the inode
  void append_file(const std::string& path, std::string_view bytes);
  void truncate_file(const std::string& path, std::uint64_t size);
  void make_symlink(const std::string& target, const std::string& path);
  void make_link(const std::string& existing, const std::string& path);  // a second name for a file
  // Without read bits open() and list() say EACCES, without search bits of a directory all that is in it.
  void chmod(const std::string& path, std::uint32_t permissions);
  // Everything made here is root's; nobody is kept from anything by its owner.
  void chown(const std::string& path, std::uint32_t uid, std::uint32_t gid);
  void set_mtime(const std::string& path, std::int64_t ns);
  // Space for file content from now on; a write that does not fit writes what does and says ENOSPC.
  void set_free_bytes(std::uint64_t bytes);
  // The next call of `op` fails with `error`: open, stat, lstat, real_path, list, rename, remove, make_dirs,
  // sync_dir, lock, read, write, truncate, sync, give_to. Several calls queue up.
  void fail_next(const std::string& op, int error);
  void clear_faults();
  // From now on what is synced is told from what is not; everything there is counts as synced.
  void track_syncs();
  // The machine goes down and comes up again. Of what was not synced since track_syncs(), choose(n), a number
  // below n, decides what is left: of a file all, a part, as many zeros, or nothing; of a directory's changes
  // the first few. Files that are open are not to be used any more.
  using Chooser = std::function<std::size_t(std::size_t n)>;
  void cut_power(const Chooser& choose);
  // Hand out inode numbers of deleted files again at once, as ext4 does.
  void reuse_inodes(bool on);

  struct State;  // of the implementation

 private:
  std::shared_ptr<State> state_;
};

}  // namespace sidelight
