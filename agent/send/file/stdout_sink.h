// Lines to standard output, through the descriptor that the process was given: opening /dev/stdout again
// fails where it belongs to another user, as in many containers.
#pragma once

#include <limits>

#include "agent/send/file/sink.h"

namespace sidelight {

class StdoutSink final : public Sink {
 public:
  // A pipe that takes nothing for `patience_ms` is an error (EAGAIN), so that the caller may look whether the
  // program ends.
  explicit StdoutSink(int descriptor, int patience_ms = 500)
      : descriptor_(descriptor), patience_ms_(patience_ms) {}
  Expected<void> open() override { return {}; }
  // Waits while a pipe is full, never longer than `patience_ms` at a time, whether it blocks or not. After an
  // error, goes on behind what was written of the same bytes.
  Expected<void> write(std::string_view lines) override;
  std::uint64_t room() const override { return std::numeric_limits<std::uint64_t>::max(); }
  Expected<void> rotate() override { return {}; }

 private:
  int descriptor_;
  int patience_ms_;
  std::size_t done_ = 0;  // bytes of the write under way
};

}  // namespace sidelight
