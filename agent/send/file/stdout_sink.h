// Lines to standard output, through the descriptor that the process was given: opening /dev/stdout again
// fails where it belongs to another user, as in many containers.
#pragma once

#include <limits>

#include "agent/send/file/sink.h"

namespace sidelight {

class StdoutSink final : public Sink {
 public:
  explicit StdoutSink(int descriptor) : descriptor_(descriptor) {}
  Expected<void> open() override { return {}; }
  // Waits while a pipe is full. After an error, goes on behind what was written of the same bytes.
  Expected<void> write(std::string_view lines) override;
  std::uint64_t room() const override { return std::numeric_limits<std::uint64_t>::max(); }
  Expected<void> rotate() override { return {}; }

 private:
  int descriptor_;
  std::size_t done_ = 0;  // bytes of the write under way
};

}  // namespace sidelight
