// A gzip'd file (RFC 1952, any number of members) seen as the plain file that it was.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/tail/identity.h"

namespace sidelight {

// What reading archives to their ends has told, so that it is done once for each. Bounded.
class ArchiveMemory {
 public:
  // None: not known, or it changed since.
  const Expected<std::uint64_t>* plain_size(const FileStat& archive) const;
  void keep(const FileStat& archive, Expected<std::uint64_t> plain_size);

 private:
  struct Entry {
    std::uint64_t size;
    std::int64_t mtime_ns;
    Expected<std::uint64_t> plain_size;
  };
  std::map<std::pair<std::uint64_t, std::uint64_t>, Entry> entries_;  // by device and inode
};

// Reads the whole stream, once as far as `memory` goes, to learn the plain size and that it is sound; an
// unfinished or damaged stream is an error. One whose plain bytes do not bear the mark `head` is an error
// too, and costs next to nothing. stat() gives the archive's identity with the plain size. Reads that
// begin where the last one did, or behind it, are cheap; going back farther starts over.
Expected<std::unique_ptr<File>> open_gzip(FileSystem& fs, const std::string& path, ArchiveMemory& memory,
                                          const Mark& head = {});

}  // namespace sidelight
