// What the decode stage makes of bytes: events. An event is one line, or several that belong together (multiline, container pieces).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sidelight {

// A container log interleaves stdout and stderr; each is a lane of its own, so that one's open event does not hold or cut the
// other's. Ordinary files use lane 0 only.
inline constexpr std::size_t kLanes = 2;

struct Event {
  // Bytes of the file, half open, from the first byte of the first line to past the last line's terminator. In one lane, ranges
  // ascend and never overlap.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string_view text;            // decoded to (possibly broken) UTF-8, without the last line terminator; view into the window or arena
  std::string_view container_time;  // the CRI or docker timestamp (RFC 3339), else empty
  std::uint8_t lane = 0;            // 0 stdout or plain, 1 stderr
  bool from_container = false;      // the line was wrapped: `lane` names a stream
  bool truncated = false;           // cut at the size limit; the rest of the line was skipped and counted
  bool unterminated = false;        // ends at a forced cut, without a line terminator
  bool continuation = false;        // begins in mid-line, behind a forced cut
};

// Where each lane goes on: everything before lane[i] that belongs to lane i has been handed out.
struct FramePosition {
  std::array<std::uint64_t, kLanes> lane{};
  std::uint64_t low() const { return lane[0] < lane[1] ? lane[0] : lane[1]; }
  bool operator==(const FramePosition&) const = default;
};

}  // namespace sidelight
