// What the decode stage makes of bytes: events. An event is one line, or several that belong together
// (multiline, container pieces).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sidelight {

// A container log interleaves stdout and stderr; each is a lane of its own, so that one's open event does not
// hold or cut the other's. Ordinary files use lane 0 only.
inline constexpr std::size_t kLanes = 2;

struct Event {
  // Bytes of the file, half open, from the first byte of the first line (behind leading NULs, which are a
  // hole left by a truncation) to past the last line's terminator. In one lane, ranges ascend and never
  // overlap; two events never have the same range.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string_view text;  // decoded to (possibly broken) UTF-8, without the last line terminator; view into
                          // the window or arena
  std::string_view container_time;  // the CRI or docker timestamp (RFC 3339), else empty
  std::uint8_t lane = 0;            // 0 stdout or plain, 1 stderr
  bool from_container = false;      // the line was wrapped: `lane` names a stream
  bool not_wrapped = false;         // a line of it is not wrapped as the configured container runtime does
  bool truncated = false;           // cut at the size limit; the rest of the line was skipped and counted
  bool unterminated = false;        // ends at a forced cut, without a line terminator
  // Belongs behind an event that was closed before it: begins in mid-line or between container pieces behind
  // a forced cut, or (multiline) with a line that continues something.
  bool continuation = false;
};

// In what state the bytes go on at a position. `at_line` except behind a forced cut or the size rule.
enum class LineState : std::uint8_t {
  at_line,   // a line begins here
  mid_line,  // a forced cut fell into a line: what follows is its rest
  skipping,  // the line was too long: its rest, up to the newline, is skipped and counted
};

// What a lane was doing where it goes on.
enum class LaneState : std::uint8_t {
  clear,        // an event begins with the lane's next line
  in_pieces,    // an event was closed between two pieces of one container line: the next piece is its
                // continuation
  drop_pieces,  // the event was too long: its further pieces are skipped and counted ...
  drop_lines,   // ... and its further lines, until one begins an event
};

// Where each lane goes on: everything before lane[i] that belongs to lane i has been handed out. The other
// members say in which state, since the bytes before the position are not looked at again. A position is
// stored whole (see pack_state) or not at all.
struct FramePosition {
  std::array<std::uint64_t, kLanes> lane{};
  std::array<LaneState, kLanes> lane_state{};
  std::array<std::uint8_t, kLanes> context{};  // where in a stack trace the lane is; the preset knows
  LineState line = LineState::at_line;         // at low()
  bool utf16_swapped = false;                  // the byte order mark contradicted the configured byte order
  std::array<bool, kLanes> carry_done{};  // what came over from the earlier generation has been handed out

  std::uint64_t low() const { return lane[0] < lane[1] ? lane[0] : lane[1]; }
  // Whether the lane goes on in the carry (see FrameInput): before this file's first byte.
  bool in_carry(std::size_t i) const { return lane[i] == 0 && !carry_done[i]; }
  bool in_carry() const { return in_carry(0) || in_carry(1); }
  // The same place, counted from the first byte of a carry of so many bytes.
  FramePosition from_carry(std::uint64_t bytes) const {
    FramePosition p = *this;
    for (std::size_t i = 0; i < kLanes; ++i) p.lane[i] = in_carry(i) ? 0 : lane[i] + bytes;
    return p;
  }
  // Where the next generation begins when what is open here is its carry: its lanes go on as these do.
  FramePosition successor() const {
    FramePosition p;
    p.lane_state = lane_state;
    p.context = context;
    return p;
  }
  // Everything but the offsets in one number, zero for an ordinary position; the layout is part of the
  // checkpoint format.
  std::uint64_t pack_state() const {
    std::uint64_t v = static_cast<std::uint64_t>(line) | (utf16_swapped ? 4u : 0u) |
                      (carry_done[0] ? 8u : 0u) | (carry_done[1] ? 1u << 24 : 0u);
    for (std::size_t i = 0; i < kLanes; ++i) {
      v |= static_cast<std::uint64_t>(lane_state[i]) << (4 + 2 * i);
      v |= static_cast<std::uint64_t>(context[i]) << (8 + 8 * i);
    }
    return v;
  }
  // The reverse; any number gives a valid position.
  void unpack_state(std::uint64_t v) {
    line = (v & 3) < 3 ? static_cast<LineState>(v & 3) : LineState::at_line;
    utf16_swapped = (v & 4) != 0;
    carry_done = {(v & 8) != 0, (v & 1u << 24) != 0};
    for (std::size_t i = 0; i < kLanes; ++i) {
      lane_state[i] = static_cast<LaneState>((v >> (4 + 2 * i)) & 3);
      context[i] = static_cast<std::uint8_t>((v >> (8 + 8 * i)) & 0xff);
    }
  }
  bool operator==(const FramePosition&) const = default;
};

}  // namespace sidelight
