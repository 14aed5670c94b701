// Which documents are in the output file already: after a kill -9 the checkpoint may be behind the file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/filesystem.h"
#include "agent/batch/replay_starts.h"

namespace sidelight {

// Ids as 64-bit hashes, of documents alone that may come again: that bounds the memory. Immutable after
// load().
class DeliveredIds {
 public:
  // Reads the event.id of every line of `files`: how far behind the checkpoint is, is not known in bytes of
  // output (another output may have held it for hours). What cannot be read counts as not there. Looks at
  // `stop` after each block; ECANCELED once that says so.
  static Expected<DeliveredIds> load(const std::vector<std::string>& files, FileSystem& fs,
                                     const ReplayStarts& starts, const std::function<bool()>& stop);
  bool contains(std::string_view id) const;
  std::size_t size() const { return hashes_.size(); }

 private:
  std::vector<std::uint64_t> hashes_;  // sorted
};

}  // namespace sidelight
