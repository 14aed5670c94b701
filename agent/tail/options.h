// Settings of one log input as the tail stage sees it.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace sidelight {

enum class StartAt { beginning, end };

struct TailOptions {
  std::vector<std::string>
      paths;  // globs: * ? [a-z] {a,b} and ** for any number of directories; absolute after loading
  std::vector<std::string> exclude;  // globs, matched against the whole path and against the base name
  StartAt start = StartAt::beginning;
};

// What the program itself writes: never read, whatever the globs say and whatever name leads there.
struct OwnFiles {
  std::set<std::string> files;        // and what rotation makes of their names, in the same directory
  std::set<std::string> directories;  // with all that is in them
};

// Shared by all inputs.
struct TailLimits {
  std::chrono::milliseconds rescan_interval{30000};  // full look at all globs while notifications work
  std::chrono::milliseconds poll_interval{1000};     // while they do not
  std::chrono::milliseconds close_rotated_after{
      10000};  // quiet time after which a rotated, fully read file is let go
  std::uint64_t deleted_files_budget = 1ull << 30;  // bytes of deleted, unread files held open
  std::size_t max_open_files = 0;                   // 0: from RLIMIT_NOFILE
  std::size_t max_files = 100000;                   // files tracked at a time
};

}  // namespace sidelight
