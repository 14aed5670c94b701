// Finds the files that the inputs' globs match, and watches the directories where such files can appear.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
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
};

// One thread. The referenced objects outlive it.
class Discovery {
 public:
  // `never` are paths that are not read whatever the globs say: the program's own log and output files.
  Discovery(FileSystem& fs, FileNotifier& notifier, Logger& log, const std::vector<TailOptions>& inputs,
            std::set<std::string> never);

  // Walks all globs. Each regular file is given once a path, for the first input that matches it.
  std::vector<FoundFile> scan();

  // The first input whose globs match the path, whether or not it exists.
  std::optional<std::uint32_t> input_of(const std::string& path) const;

  // Watches one more directory (where a symlink's target lives). Idempotent.
  void watch(const std::string& dir);

  // Where the last scan looked for files.
  const std::set<std::string>& directories() const { return listed_; }

  // Some directory could not be watched: it must be polled.
  bool must_poll() const { return !unwatched_.empty(); }

 private:
  struct Pattern {
    std::uint32_t input;
    std::string text;
  };
  void walk(const std::string& dir, std::string_view rest, const Pattern& pattern, int depth,
            std::vector<FoundFile>& out);
  void walk_any_depth(const std::string& dir, std::string_view rest, const Pattern& pattern, int depth,
                      std::vector<FoundFile>& out);
  void consider(const std::string& path, const Pattern& pattern, std::vector<FoundFile>& out);
  bool excluded(const std::string& path, std::uint32_t input) const;

  FileSystem& fs_;
  FileNotifier& notifier_;
  Logger& log_;
  std::vector<Pattern> patterns_;
  std::vector<std::vector<std::string>> excludes_;
  std::set<std::string> never_;
  std::set<std::string> watched_;
  std::set<std::string> unwatched_;
  std::set<std::string> listed_;  // directories visited by the scan in progress
  std::set<std::string> given_;   // paths given by the scan in progress
};

}  // namespace sidelight
