// Cuts a file's bytes into events. A pure function of the bytes, the starting position and the forced cuts: a
// replay from any position that it once returned yields the same events with the same ranges, which is what
// makes document ids stable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"
#include "agent/base/error.h"
#include "agent/decode/event.h"

namespace sidelight {

enum class Encoding { utf8, utf16le, utf16be, windows1251, latin1 };
// detect: line by line; what has neither shape is plain.
enum class ContainerFormat { none, cri, docker, detect };
enum class MultilinePreset { none, java, python, go, dotnet, cpp, custom };

struct MultilineOptions {
  MultilinePreset preset = MultilinePreset::none;
  std::string start_pattern = {};  // custom, RE2: a line that matches begins an event, others continue it
  std::size_t max_lines = 500;     // an event is closed at this many lines
};

struct DecodeOptions {
  Encoding encoding = Encoding::utf8;
  ContainerFormat container = ContainerFormat::none;
  MultilineOptions multiline = {};
  // Longer: cut there, marked, the rest of the line (or event) skipped and counted.
  std::size_t max_event_bytes = 1u << 20;
};

// A piece of a file. `bytes` starts at file offset `offset` == from.low().
struct FrameInput {
  std::string_view bytes = {};
  std::uint64_t offset = 0;
  FramePosition from = {};
  // Close everything that is open at the end of `bytes`: the flush timeout passed, or no more bytes will ever
  // come.
  bool cut_at_end = false;
  // No more bytes will ever come, or be waited for: a last character that is cut in two is taken as it is.
  bool is_last = true;
  // File offsets, ascending, at which an earlier run closed everything that was open: this run must do the
  // same.
  std::span<const std::uint64_t> cuts = {};
  // What open_part() gave of the earlier generation: it is put before the first bytes of this one. To be
  // given with every call as long as from.in_carry(). The events it takes part in begin at 0; one that ends
  // before this generation's first byte has the range [0, 0). Ranges must differ: see continues().
  std::string_view carry = {};
};

// Added to by each call; a replay counts again.
struct FrameStats {
  std::uint64_t lines = 0;  // physical lines that ended in this call's events
  std::uint64_t truncated_events = 0;
  std::uint64_t truncated_bytes = 0;  // skipped beyond max_event_bytes
};

// Immutable after creation; one instance an input, used by any number of threads.
class Framer {
 public:
  virtual ~Framer() = default;

  // Appends the events that are complete to `out` and returns where each lane goes on. Each call must be
  // given from.low() as the offset; bytes behind the returned low() are presented again, with more behind
  // them. Progress is guaranteed once bytes.size() >= window_bytes(): then something is cut by the size rule.
  // With cut_at_end, everything is consumed, but for the beginning of a UTF-8 character unless is_last. Views
  // in `out` live as long as `bytes`, `carry` and `arena`. Lines without text yield no event (inside an open
  // multiline event they are kept). An event longer than max_event_bytes is cut there; what is skipped
  // belongs to no event's range when it could not be seen with it.
  virtual FramePosition frame(const FrameInput& in, Arena& arena, std::vector<Event>& out,
                              FrameStats& stats) const = 0;

  // The position of one who begins at `offset` in a file that starts with these bytes (two suffice).
  virtual FramePosition begin_at(std::uint64_t offset, std::string_view file_start) const = 0;

  // The least window that guarantees progress.
  virtual std::size_t window_bytes() const = 0;

  // May the end of `bytes` be in mid-event although a line ended there (multiline on, container pieces)?
  // False for plain lines: then an unterminated tail is the only thing that waits.
  virtual bool joins_lines() const = 0;

  // Do these bytes, which lie behind `at`, end with a line's end?
  virtual bool ends_line(std::string_view bytes, const FramePosition& at) const = 0;

  // Of the bytes from at.low() to the file's end, the lines that have not been handed out: one lane's open
  // event is there between lines of the other that were. They are the carry for the next generation, which
  // begins at at.successor().
  virtual std::string open_part(std::string_view bytes, const FramePosition& at) const = 0;

  // Whether the next generation, of which `next` is the raw beginning, goes on with an event of this `carry`,
  // rather than begin its own in each lane that has something open. Used at rotation. None: the first line of
  // such a lane has not been seen, and `next` is shorter than window_bytes(). Always false when
  // !joins_lines(), and when the carry cannot be one: two events in it would have the same range.
  virtual std::optional<bool> continues(std::string_view carry, std::string_view next,
                                        const FramePosition& at) const = 0;
};

// A smaller limit would not hold a character, or a line of a container log.
inline constexpr std::size_t kLeastEventBytes = 16;

// Fails on a bad pattern or a combination that cannot be (UTF-16 in a container log), with the reason.
Expected<std::unique_ptr<Framer>> make_framer(const DecodeOptions& options);

}  // namespace sidelight
