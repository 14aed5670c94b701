// What the checkpoint store tells about itself. Implemented by agent/observe.
#pragma once

#include <cstdint>

#include "agent/base/clock.h"

namespace sidelight {

// Thread-safe; cheap enough to be called once a commit.
class CheckpointProbe {
 public:
  virtual ~CheckpointProbe() = default;
  // A commit is on disk: when, the size of the file, and the files (generations) that it knows. With `bytes`
  // 0: one was loaded at the start, written then (`at` 0: not known).
  virtual void committed(WallNanos at, std::uint64_t bytes, std::uint64_t files) = 0;
  // Nothing new to commit: what is on disk was found to be current. The checkpoint's age counts from the
  // later of the two.
  virtual void unchanged(WallNanos at) = 0;
  virtual void write_error() = 0;  // a commit failed; it is tried again
  virtual void damaged() = 0;      // a checkpoint could not be read at start and was set aside
};

class NullCheckpointProbe final : public CheckpointProbe {
 public:
  void committed(WallNanos, std::uint64_t, std::uint64_t) override {}
  void unchanged(WallNanos) override {}
  void write_error() override {}
  void damaged() override {}
};

}  // namespace sidelight
