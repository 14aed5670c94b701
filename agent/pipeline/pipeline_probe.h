// What the pipeline tells about its inputs and about itself. Implemented by agent/observe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sidelight {

// Why an event that was read is not shipped: a choice of the configuration, never an accident.
enum class DropReason {
  rule,          // a processor drops such events
  sampled,       // a processor keeps one of several
  rate_limited,  // the stream is over the rate that the configuration allows
  duplicate,     // it repeats the event before
};
inline constexpr std::size_t kDropReasons = 4;

// Why an input is not read although it has data.
enum class PauseReason { dead_letters };  // they are full or cannot be written

// Thread-safe; cheap enough to be called once a chunk, not once a line. `input` is the index of the log input
// in the configuration.
// Where one file stands. `path` lives as long as the call.
struct FileProgress {
  std::string_view path;
  std::uint32_t input = 0;
  std::uint64_t size = 0;
  std::uint64_t read = 0;       // from its beginning
  std::uint64_t delivered = 0;  // settled, from its beginning
  double behind_seconds = 0;    // age of the oldest bytes that are not settled; 0: none
};

class PipelineProbe {
 public:
  virtual ~PipelineProbe() = default;
  virtual void read(std::uint32_t input, std::uint64_t bytes) = 0;  // from its files
  // Lines framed, and the events that they made (several lines make one event with multiline).
  virtual void events(std::uint32_t input, std::uint64_t lines, std::uint64_t events) = 0;
  // Events cut at the size limit, and the bytes cut off.
  virtual void truncated(std::uint32_t input, std::uint64_t events, std::uint64_t bytes) = 0;
  virtual void dropped(std::uint32_t input, std::uint64_t events, DropReason reason) = 0;
  virtual void parse_errors(std::uint32_t input, std::uint64_t events) = 0;  // shipped raw and marked
  // What is not settled yet: bytes in the files past the checkpoint, and the age of the oldest of them (0
  // when there are none).
  virtual void lag(std::uint32_t input, std::uint64_t bytes, double seconds) = 0;
  virtual void in_flight(std::uint64_t bytes_used, std::uint64_t budget) = 0;  // of the memory budget
  virtual void input_paused(std::uint32_t input, bool paused, PauseReason reason) = 0;
  // The files that are furthest behind first, at most 50, and how many there are in all. About once a second.
  virtual void files(const std::vector<FileProgress>& /*progress*/, std::size_t /*all*/) {}
  virtual void reload(bool success) = 0;  // one attempt to take a configuration, the one at start included
};

class NullPipelineProbe final : public PipelineProbe {
 public:
  void read(std::uint32_t, std::uint64_t) override {}
  void events(std::uint32_t, std::uint64_t, std::uint64_t) override {}
  void truncated(std::uint32_t, std::uint64_t, std::uint64_t) override {}
  void dropped(std::uint32_t, std::uint64_t, DropReason) override {}
  void parse_errors(std::uint32_t, std::uint64_t) override {}
  void lag(std::uint32_t, std::uint64_t, double) override {}
  void in_flight(std::uint64_t, std::uint64_t) override {}
  void input_paused(std::uint32_t, bool, PauseReason) override {}
  void reload(bool) override {}
};

}  // namespace sidelight
