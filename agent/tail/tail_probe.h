// What the tail stage tells about itself. Implemented by agent/observe; the stage does not know the metrics
// library.
#pragma once

#include <cstdint>

namespace sidelight {

// Why bytes of a file could not be read any more.
enum class LossReason {
  deleted,    // the file was gone before it was read (while the program was down, or before it was first
              // opened)
  truncated,  // cut off, and no copy of what was cut could be found
  overflow,   // deleted while unread and let go because deleted_files_budget was used up
};

enum class RotationKind { rename, copytruncate, gzip };

// Thread-safe; cheap enough to be called once a read or once a scan, not once a line. `input` is the index of
// the log input in the configuration.
class TailProbe {
 public:
  virtual ~TailProbe() = default;
  virtual void files_open(std::uint64_t files) = 0;                        // now
  virtual void files_tracked(std::uint64_t files) = 0;                     // now, open or not
  virtual void input_files(std::uint32_t input, std::uint64_t files) = 0;  // now: its globs match them
  virtual void watch_mode(bool polling) = 0;               // polling: some directory gives no notifications
  virtual void unreadable_files(std::uint64_t files) = 0;  // now: matched by a glob, but may not be opened
  virtual void ignored_files(std::uint64_t files) = 0;     // now: left alone, since max_files are known
  virtual void lost_bytes(std::uint32_t input, std::uint64_t bytes, LossReason reason) = 0;
  virtual void rotation(RotationKind kind) = 0;
  virtual void read_error() = 0;
  virtual void deleted_bytes_held(std::uint64_t bytes) = 0;  // now: unread bytes of deleted files
  virtual void descriptor_limit_hit() = 0;                   // a file had to wait for a free descriptor
};

class NullTailProbe final : public TailProbe {
 public:
  void files_open(std::uint64_t) override {}
  void files_tracked(std::uint64_t) override {}
  void input_files(std::uint32_t, std::uint64_t) override {}
  void watch_mode(bool) override {}
  void unreadable_files(std::uint64_t) override {}
  void ignored_files(std::uint64_t) override {}
  void lost_bytes(std::uint32_t, std::uint64_t, LossReason) override {}
  void rotation(RotationKind) override {}
  void read_error() override {}
  void deleted_bytes_held(std::uint64_t) override {}
  void descriptor_limit_hit() override {}
};

}  // namespace sidelight
