// Finds files that may be generations of one log, so that a new file is compared with its relatives and not
// with ten thousand others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/tail/tailed_file.h"

namespace sidelight {

// One thread. Files must outlive their membership, and keep path, and directory and family of `real`,
// meanwhile.
class FamilyIndex {
 public:
  void add(TailedFile& file);
  void remove(TailedFile& file);

  // Files whose path or real path is in `dir`, and which are, by their path's name (or by that of the file
  // that a symlink leads to), of the family of `name` or files that `name` can be a rotated name of. Maybe a
  // few others.
  std::vector<TailedFile*> relatives(const std::string& dir, std::string_view name) const;

 private:
  using Key = std::uint64_t;
  static Key key(const std::string& dir, const std::string& family);
  static std::vector<Key> keys_of(const TailedFile& file);
  std::unordered_multimap<Key, TailedFile*> files_;
};

}  // namespace sidelight
