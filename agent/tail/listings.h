// Directories' entries, kept as long as they are surely the same: when ten thousand files are rotated at
// once, their directory need not be listed ten thousand times.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/filesystem.h"

namespace sidelight {

// One thread. The referenced objects outlive it.
class Listings {
 public:
  Listings(FileSystem& fs, const Clock& clock) : fs_(fs), clock_(clock) {}

  // The path of the entry with that inode; empty when there is none.
  std::string path_of(const std::string& dir, std::uint64_t inode);
  // The names that begin with `prefix`, in their order; valid until the next call.
  const std::vector<std::string_view>& names(const std::string& dir, std::string_view prefix);
  // Gives the memory back.
  void clear() {
    names_.clear();
    kept_.clear();
  }

 private:
  struct Listing {
    FileStat stat;  // the directory's, from before it was listed
    std::int64_t listed_ns = 0;
    std::vector<DirEntry> entries;  // by name
    std::unordered_map<std::uint64_t, std::size_t> by_inode;
  };
  // Null when it cannot be listed.
  const Listing* of(const std::string& dir);

  FileSystem& fs_;
  const Clock& clock_;
  std::map<std::string, Listing> kept_;
  std::vector<std::string_view> names_;
};

}  // namespace sidelight
