// A clock that tests step, and a filesystem of a few fixed files.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/filesystem.h"

namespace sidelight::test {

class FakeClock final : public Clock {
 public:
  MonoTime now() const override { return mono_; }
  WallNanos wall() const override { return wall_; }
  void step(Nanos by) {
    mono_ += by;
    wall_ += by.count();
  }
  void set_wall(WallNanos wall) { wall_ = wall; }

 private:
  MonoTime mono_{std::chrono::hours(1)};
  WallNanos wall_ = 1'795'388'400'000'000'000;  // 2026-11-22T23:00:00Z
};

// Reads only.
class FixedFiles final : public FileSystem {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::size_t> directories;  // entries in each

  Expected<std::unique_ptr<File>> open(const std::string& path, OpenMode) override {
    const auto it = files.find(path);
    if (it == files.end()) return fail("no such file", ENOENT);
    return std::make_unique<FixedFile>(it->second);
  }
  Expected<std::vector<DirEntry>> list(const std::string& dir) override {
    const auto it = directories.find(dir);
    if (it == directories.end()) return fail("no such directory", ENOENT);
    return std::vector<DirEntry>(it->second);
  }
  Expected<FileStat> stat(const std::string&) override { return fail("not here", ENOSYS); }
  Expected<FileStat> lstat(const std::string&) override { return fail("not here", ENOSYS); }
  Expected<std::string> real_path(const std::string&) override { return fail("not here", ENOSYS); }
  Expected<void> rename(const std::string&, const std::string&) override { return fail("not here", ENOSYS); }
  Expected<void> remove(const std::string&) override { return fail("not here", ENOSYS); }
  Expected<void> make_dirs(const std::string&) override { return fail("not here", ENOSYS); }
  Expected<void> sync_dir(const std::string&) override { return fail("not here", ENOSYS); }
  Expected<std::unique_ptr<File>> lock(const std::string&) override { return fail("not here", ENOSYS); }

 private:
  class FixedFile final : public File {
   public:
    explicit FixedFile(const std::string& bytes) : bytes_(bytes) {}
    Expected<FileStat> stat() const override { return FileStat{}; }  // like /proc: no size
    Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t offset) const override {
      return offset >= bytes_.size() ? 0 : bytes_.copy(to, n, offset);
    }
    Expected<void> write(std::string_view) override { return fail("read-only", EROFS); }
    Expected<void> truncate(std::uint64_t) override { return fail("read-only", EROFS); }
    Expected<void> sync() override { return fail("read-only", EROFS); }

   private:
    const std::string& bytes_;
  };
};

}  // namespace sidelight::test
