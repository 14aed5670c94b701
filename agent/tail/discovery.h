// Finds the files that the inputs' globs match, and watches the directories where such files can appear.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/base/file_notifier.h"
#include "agent/base/filesystem.h"
#include "agent/base/log.h"
#include "agent/tail/options.h"

namespace sidelight {

struct FoundFile {
  std::string path;
  std::uint32_t input = 0;
  FileStat stat;
  std::uint32_t glob = 0;  // the place in globs() of the one that led to it
};

// What a glob leads to and we may not see.
struct BarredPlace {
  std::string path;
  std::uint32_t input = 0;
  Error error;
  FileStat dir;  // that does not let us in; empty where that is not known
};

// A path that the globs of two inputs lead to.
struct Overlap {
  std::uint32_t reads = 0;  // the first of them
  std::uint32_t other = 0;
  std::string path;
};

// One thread. The referenced objects outlive it.
class Discovery {
 public:
  Discovery(FileSystem& fs, FileNotifier& notifier, Logger& log, const std::vector<TailOptions>& inputs,
            OwnFiles own);

  // Walks all globs. Each regular file is given once a path, for the first input that matches it.
  std::vector<FoundFile> scan();

  // Of the last scan, one for each two inputs.
  const std::vector<Overlap>& overlaps() const { return overlaps_; }

  // The first input whose globs match the path, whether or not it exists; none for the program's own files.
  std::optional<std::uint32_t> input_of(const std::string& path) const;

  // Whether the program writes this file itself; `real` is free of symlinks. As of the last scan.
  bool is_own(const std::string& real) const;

  // Of all inputs, one by one where braces name several.
  std::vector<std::string> globs() const;

  // Watches one more directory (where a symlink's target lives). Idempotent.
  void watch(const std::string& dir);

  // Where the last scan looked for files.
  const std::set<std::string>& directories() const { return listed_; }

  // Names with a rotation mark in a directory that the last scan listed; null for another one.
  const std::vector<std::string>* marked_in(const std::string& dir) const;

  // Directories that there were no watches for: everything must be polled.
  bool must_poll() const { return !unwatched_.empty(); }

  // Directories that we may not read, and so not watch: their files alone are looked at now and then.
  const std::set<std::string>& unheard() const { return unheard_; }
  // What the last scan was kept from.
  const std::vector<BarredPlace>& barred() const { return barred_; }

 private:
  struct Pattern {
    std::uint32_t input;
    std::uint32_t place;  // in patterns_
    std::string text;
    bool may_repeat;  // it may lead to one path more than once
  };
  void walk(const std::string& dir, std::string_view rest, const Pattern& pattern, int depth,
            std::vector<FoundFile>& out);
  void walk_any_depth(const std::string& dir, std::string_view rest, const Pattern& pattern, int depth,
                      std::vector<FoundFile>& out);
  Expected<void> walk_files(const std::string& dir, std::string_view segment, const Pattern& pattern,
                            std::vector<FoundFile>& out);
  Expected<void> walk_dirs(const std::string& dir, std::string_view segment, std::string_view behind,
                           const Pattern& pattern, int depth, std::vector<FoundFile>& out);
  void consider(const std::string& dir, std::string_view name, const Expected<FileStat>& st,
                const Pattern& pattern, std::vector<FoundFile>& out);
  void note_overlap(std::uint32_t reads, std::uint32_t other, const std::string& path);
  void bar(const std::string& path, const std::string& dir, const Pattern& pattern, const Error& error);
  bool excluded(const std::string& path, std::uint32_t input) const;
  void find_own();
  bool is_own_inode(const FileStat& stat) const { return own_inodes_.contains({stat.dev, stat.inode}); }
  // What of a directory is our own.
  struct OwnNames {
    bool all = false;
    std::vector<std::string> names;
  };
  OwnNames own_in(const std::string& real_dir) const;
  static bool covers(const OwnNames& own, std::string_view name);

  FileSystem& fs_;
  FileNotifier& notifier_;
  Logger& log_;
  std::vector<Pattern> patterns_;
  std::vector<std::vector<std::string>> excludes_;
  OwnFiles own_;
  OwnFiles own_real_;  // without symlinks
  // Bind mounts and hard links lead to a file by more than one real path.
  std::set<std::pair<std::uint64_t, std::uint64_t>> own_inodes_;
  std::map<std::string, OwnNames> own_in_dir_;  // by directory, of the scan in progress
  std::set<std::string> watched_;
  std::set<std::string> unwatched_;
  std::set<std::string> unheard_;
  std::vector<BarredPlace> barred_;
  std::set<std::string> listed_;  // directories visited by the scan in progress
  // Paths given by the scan in progress, with their inputs; where two patterns may match one.
  std::unordered_map<std::string, std::uint32_t> given_;
  std::vector<Overlap> overlaps_;
  std::set<std::string> barred_paths_;
  std::map<std::string, std::vector<std::string>> marked_;  // by directory
  std::size_t last_found_ = 0;
};

}  // namespace sidelight
