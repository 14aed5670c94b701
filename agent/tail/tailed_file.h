// One generation of one log file: the bytes that a writer put into one file between its creation (or
// truncation) and its end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/filesystem.h"
#include "agent/tail/identity.h"

namespace sidelight {

// What the checkpoint keeps of a generation's identity.
struct SavedFile {
  std::string key;
  std::string path;  // as the user knows it: the live path, also after rotation
  std::string real;  // where its bytes were last seen
  std::uint64_t dev = 0;
  std::uint64_t inode = 0;
  std::int64_t birth_ns = 0;
  std::uint64_t size = 0;  // last known
  Mark head;
  std::uint64_t offset = 0;  // settled up to here
  Mark tail;                 // of the bytes before offset
  bool finished = false;     // rotated away and settled to its end
  bool missed = false;       // an earlier look did not find it, and counted what was unread
  bool barred = false;       // it is there, or may be, and we may not look
};

enum class Place {
  live,     // the user's path leads to it
  rotated,  // renamed, copied or compressed: it still has a name
  deleted,  // no name left; only our descriptor holds it
};

// A descriptor that outlives its Tailer, for the one that takes its place in the same process: the only way
// left to the bytes of a file without a name, or of one that may not be opened any more.
struct OpenFile {
  std::uint64_t dev = 0;
  std::uint64_t inode = 0;
  std::unique_ptr<File> file;
};
using OpenFiles = std::vector<OpenFile>;

// Owned by the Tailer, seen by the pipeline between on_new and on_gone. One thread.
struct TailedFile {
  std::string key;
  std::uint32_t input = 0;
  std::string path;
  std::string real;
  Place place = Place::live;
  FileStat seen;              // identity and size at the last look
  Mark head;                  // grows with the file up to kHeadBytes
  std::uint64_t read_to = 0;  // everything before it has been handed out
  Mark tail;                  // of the bytes before read_to
  std::uint64_t sure_size =
      0;                       // seen.size as it was at the look before, or when its bytes were last compared
  std::uint64_t examined = 0;  // the size at which the bytes behind read_to gave no complete event
  bool failed = false;         // it could not be read: tried again at the next look
  bool whole = false;          // an archive or a copy: no more bytes will come
  bool dirty = true;           // head, size or place changed since the pipeline saved it
  MonoTime last_growth{};
  TailedFile* predecessor = nullptr;  // is to be read to its end first
  TailedFile* successor = nullptr;    // the other end of that link
  std::unique_ptr<File> file;         // null: not open (settled, or short of descriptors)
  bool settled = false;               // told by the pipeline: all that was read is settled
  bool hold_successor = false;        // told by the pipeline: an open event may go on in the successor
  std::uint64_t found_by_scan = 0;    // the last one that found something at its live path
  void* user = nullptr;               // the pipeline's

  bool at_end() const { return read_to >= seen.size; }
  bool has_news() const { return seen.size > read_to && seen.size > examined; }
  std::uint64_t unread() const { return seen.size > read_to ? seen.size - read_to : 0; }
};

}  // namespace sidelight
