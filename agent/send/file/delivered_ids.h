// Which documents are in the output file already: after a kill -9 the checkpoint may be behind the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/filesystem.h"

namespace sidelight {

// Ids as 64-bit hashes. Immutable after load().
class DeliveredIds {
 public:
  // Reads the event.id of the lines in the last `max_bytes` of `files`, newest first. What cannot be read
  // counts as not there.
  static DeliveredIds load(const std::vector<std::string>& files, FileSystem& fs, std::uint64_t max_bytes);
  bool contains(std::string_view id) const;
  std::size_t size() const { return hashes_.size(); }

 private:
  std::vector<std::uint64_t> hashes_;  // sorted
};

}  // namespace sidelight
